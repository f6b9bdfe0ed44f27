import { readFile } from 'node:fs/promises'
import { addCatalogTool, listImageArchives, problem, removeCatalogTool } from '@agentopia/api'
import { command } from '../../command.ts'
import { type NewTool, toolFrom } from './describe.ts'

const text = (description: string) => ({ type: 'string', description }) as const

export const catalogAdd = command(
  'add',
  'Add a tool of your own: an npm or PyPI package, an image of a registry, or one that was pushed',
  {
    tool: { type: 'positional', description: 'Id of the new entry', required: true },
    npm: text('npm package: name@1.2.3'),
    pypi: text('Python package: name==1.2.3'),
    oci: text('Image: registry.example/owner/server:1.2, or by digest'),
    archive: text('Image that was pushed: its name or digest'),
    bin: text('Which command of the package; default: its only one'),
    title: text('Title; default: the id'),
    summary: text('One sentence'),
    args: text('Arguments of the server, separated by spaces'),
    env: text('Variables that are no secrets, as KEY=value,KEY=value'),
    http: text('The server speaks HTTP: port, or port/path, such as 3001/sse; default: standard input and output'),
    egress: text('What it may connect to: none (default), any, or host,host:port'),
    state: text('Directory that is kept'),
    profile: text('Beyond the strict profile: bigmem, browser, exec-tmp'),
    memory: text('MiB; default 256'),
    pids: text('Processes; default 64'),
    file: text('JSON file that describes the tool instead, with settings and secrets'),
  },
  async ({ client, args, output }) => {
    const body =
      args.file === undefined
        ? toolFrom(
            { ...args, id: args.tool },
            args.archive === undefined ? [] : (await client.call(listImageArchives, {})).items,
          )
        : { ...(await readTool(args.file)), id: args.tool }
    output.result(
      await client.call(addCatalogTool, { body }),
      ({ id, package: { type, name, version } }) => `${id} is in the catalogue: ${type} ${name} ${version}`,
    )
  },
)

export const catalogRemove = command(
  'remove',
  'Remove a tool of your own from the catalogue',
  { tool: { type: 'positional', description: 'Id of the entry', required: true } },
  async ({ client, args, output }) => {
    await client.call(removeCatalogTool, { params: { toolId: args.tool } })
    output.result({ removed: args.tool }, () => `${args.tool} is removed from the catalogue`)
  },
)

/** As the file says; the control plane tells what is wrong with it. */
async function readTool(path: string): Promise<NewTool> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw problem('invalid-tool', `${path} is no JSON file`, { cause })
  }
}
