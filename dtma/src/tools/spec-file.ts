import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { ToolName, ToolReason, ToolSpec } from '../contract/tool.ts'
import { syncDirectory, writeSynced } from '../durable-file.ts'

/** A tool that was accepted: what shall be, and what we must remember to know which container is ours. */
export const AcceptedTool = z.object({
  name: ToolName,
  generation: z.int(),
  /** `absent`: it was deleted, and something of it may still be there. */
  desired: z.enum(['running', 'stopped', 'absent']),
  spec: ToolSpec,
  /** Random; in the labels of everything that we make for the tool. */
  claim: z.string(),
  /** The container that we made last. Absent: none, or we died before we could note it. */
  containerId: z.optional(z.string()),
  /** A container that shall be replaced by a new one of the same spec. */
  replace: z.optional(z.string()),
  /** What its server offered when this generation was first spoken to. */
  offered: z.optional(z.object({ generation: z.int(), digest: z.string() })),
  /** The last spec that spoke MCP. */
  good: z.optional(ToolSpec),
  /** What this generation asked for and did not work; `spec` is the one before then. */
  refused: z.optional(z.object({ generation: z.int(), spec: ToolSpec, reason: ToolReason, message: z.string() })),
  /** Version of the secrets that this container was started with last. */
  secretsVersion: z.optional(z.string()),
  restarts: z.int(),
  /**
   * What its images are: repository and digest by the image of the spec, as its tag meant when it was pulled first; the tag of what
   * was built, by the name of the package's recipe.
   */
  pins: z.optional(z.record(z.string(), z.string())),
  /** Images that we built or pulled for it, newest last. */
  images: z.array(z.string()),
})
export type AcceptedTool = z.infer<typeof AcceptedTool>

/** The state directory: one file per tool, each with its predecessor beside it. */
export interface SpecFiles {
  /** Random, made when the directory was: tells this DTMA from any other on the same engine. */
  readonly owner: string
  /** Survives a loss of power once it resolves. */
  save(tool: AcceptedTool): Promise<void>
  remove(name: string): Promise<void>
}

export interface OpenedSpecFiles {
  readonly files: SpecFiles
  readonly tools: readonly AcceptedTool[]
  /** One sentence for each file that could not be read as it was written. */
  readonly warnings: readonly string[]
}

const SUFFIX = '.json'
const PREVIOUS = '.json.previous'

/** Opens the directory, and makes it when it is not there. @throws {Error} When it cannot be read or written. */
export async function openSpecFiles(stateDirectory: string): Promise<OpenedSpecFiles> {
  const directory = join(stateDirectory, 'tools')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const owner = await readOwner(stateDirectory)
  const { tools, warnings } = await readAll(directory)

  return {
    tools,
    warnings,
    files: {
      owner,
      async save(tool) {
        const current = join(directory, tool.name + SUFFIX)
        const previous = join(directory, tool.name + PREVIOUS)
        await writeSynced(`${current}.new`, seal(tool))
        // The current file is there at every moment: it is linked to its second name before it is replaced.
        await ifThere(unlink(previous))
        await ifThere(link(current, previous))
        await rename(`${current}.new`, current)
        await syncDirectory(directory)
      },
      async remove(name) {
        // In this order, or a crash between the two would bring the tool back.
        await ifThere(unlink(join(directory, name + PREVIOUS)))
        await ifThere(unlink(join(directory, name + SUFFIX)))
        await syncDirectory(directory)
      },
    },
  }
}

async function readAll(directory: string): Promise<{ tools: AcceptedTool[]; warnings: string[] }> {
  const entries = await readdir(directory)
  const names = new Set(
    entries
      .filter((entry) => entry.endsWith(SUFFIX) || entry.endsWith(PREVIOUS))
      .map((entry) => entry.slice(0, entry.indexOf(SUFFIX))),
  )
  const tools: AcceptedTool[] = []
  const warnings: string[] = []
  for (const name of [...names].sort()) {
    const current = await readSealed(join(directory, name + SUFFIX))
    const tool = current ?? (await readSealed(join(directory, name + PREVIOUS)))
    if (tool) tools.push(tool)
    if (!current)
      warnings.push(
        tool
          ? `The state of tool ${name} was damaged: generation ${tool.generation}, written before, is used`
          : `The state of tool ${name} is damaged, and so is the one before: the tool is left alone until it is put again`,
      )
  }
  return { tools, warnings }
}

/** A text that proves itself whole: the checksum of the second line, then the line. */
export function seal(tool: AcceptedTool): string {
  const text = JSON.stringify(tool)
  return `${checksumOf(text)}\n${text}\n`
}

/** `undefined`: it is not what {@link seal} made. */
export function unseal(sealed: string): AcceptedTool | undefined {
  const [checksum, text] = sealed.split('\n')
  if (text === undefined || checksum !== checksumOf(text)) return undefined
  const parsed = AcceptedTool.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data : undefined
}

const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex')

async function readSealed(path: string): Promise<AcceptedTool | undefined> {
  const sealed = await ifThere(readFile(path, 'utf8'))
  return sealed === undefined ? undefined : unseal(sealed)
}

async function readOwner(stateDirectory: string): Promise<string> {
  const path = join(stateDirectory, 'owner')
  const known = (await ifThere(readFile(path, 'utf8')))?.trim()
  if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return known
  const owner = randomBytes(16).toString('hex')
  await writeSynced(`${path}.new`, `${owner}\n`)
  await rename(`${path}.new`, path)
  await syncDirectory(stateDirectory)
  return owner
}

/** `undefined` when the file is not there. */
async function ifThere<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
