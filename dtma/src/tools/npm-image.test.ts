import fc from 'fast-check'
import { extract } from 'tar-stream'
import { expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import type { NpmPackage } from '../contract/tool-package.ts'
import { NPM_COMPLAINTS, npmRecipe } from './npm-image.ts'
import { buildFailureOf, buildStepOf, contextOf } from './package-image.ts'

const BASE = `sha256:${'a'.repeat(64)}`
const OWNER = 'b'.repeat(32)
const server: NpmPackage = { type: 'npm', name: '@scope/server', version: '1.2.3' }

test('the tag names the package, the version and exactly this recipe', () => {
  const { tag } = npmRecipe(server, BASE)
  expect(tag).toMatch(/^agentopia-tool\/scope-server:1\.2\.3-[0-9a-f]{12}$/)
  expect(npmRecipe(server, BASE).tag).toBe(tag)
  expect(npmRecipe({ ...server, bin: 'x' }, BASE).tag).not.toBe(tag)
  expect(npmRecipe(server, `sha256:${'b'.repeat(64)}`).tag).not.toBe(tag)
})

test('whatever package name passes the contract makes a tag that Docker takes, and never enters the Dockerfile', () => {
  const names = fc.stringMatching(/^(?:@[a-z0-9][a-z0-9._-]{0,20}\/)?[a-z0-9][a-z0-9._-]{0,40}$/)
  const dockerfile = npmRecipe(server, BASE).files['Dockerfile']
  fc.assert(
    fc.property(names, (name) => {
      const spec = { package: { type: 'npm', name, version: '1.0.0-rc.1' }, transport: { type: 'stdio' } }
      const parsed = ToolSpec.parse(spec).package as NpmPackage
      const { tag, files } = npmRecipe(parsed, BASE)
      expect(tag).toMatch(/^agentopia-tool\/[a-z0-9]+(?:-[a-z0-9]+)*:[\w][\w.-]{0,127}$/)
      expect(files['Dockerfile']).toBe(dockerfile)
    }),
  )
})

test('the build context holds the files of the recipe, byte for byte the same each time', async () => {
  const recipe = npmRecipe(server, BASE)
  const bytes = Buffer.concat(await contextOf(recipe, OWNER).toArray())
  expect(Buffer.concat(await contextOf(recipe, OWNER).toArray()).equals(bytes)).toBe(true)

  const names: string[] = []
  const tar = extract()
  tar.end(bytes)
  for await (const entry of tar) {
    names.push(entry.header.name)
    entry.resume()
  }
  expect(names).toEqual(Object.keys(recipe.files))
})

test.each([
  ['Step 1/11 : FROM sha256:aa', { step: 'Preparing the image', percent: 0 }],
  ['Step 2/11 : LABEL dtma.owner=bb', { step: 'Preparing the image', percent: 9 }],
  ['Step 6/11 : RUN npm install --omit=dev', { step: 'Installing the package', percent: 45 }],
  ['Step 11/11 : CMD []', { step: 'Finishing the image', percent: 91 }],
  [' ---> Running in 0123', undefined],
])('the line "%s" is shown as %o', (line, progress) => {
  expect(buildStepOf(line)).toEqual(progress)
})

test.each([
  ['npm error code E404\nnpm error 404 Not Found', 'package_not_found', true],
  ['npm error code ETARGET\nnpm error notarget No matching version found', 'package_not_found', true],
  ['npm error code EAI_AGAIN\nnpm error network request failed', 'registry_unreachable', false],
  ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'registry_unreachable', false],
  ['npm error code ENOSPC', 'disk_full', false],
  ['entry: the package has no command (no "bin")', 'build_failed', true],
  ['something else\n\n', 'build_failed', false],
])('output that ends with "%s" means %s', (output, reason, lasting) => {
  const failure = buildFailureOf(output, server, NPM_COMPLAINTS)
  expect(failure).toMatchObject({ reason, lasting })
  expect(failure.message).toContain('@scope/server@1.2.3')
})
