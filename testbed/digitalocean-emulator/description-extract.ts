/** What our client asks for. */
const USED: Readonly<Record<string, readonly string[]>> = {
  '/v2/account': ['get'],
  '/v2/droplets': ['get', 'post'],
  '/v2/droplets/{droplet_id}': ['get', 'delete'],
  '/v2/droplets/{droplet_id}/actions': ['get', 'post'],
  '/v2/droplets/{droplet_id}/actions/{action_id}': ['get'],
  '/v2/firewalls': ['get', 'post'],
  '/v2/firewalls/{firewall_id}': ['put'],
  '/v2/images': ['get'],
  '/v2/regions': ['get'],
  '/v2/reserved_ips': ['get', 'post'],
  '/v2/reserved_ips/{reserved_ip}': ['delete'],
  '/v2/reserved_ips/{reserved_ip}/actions': ['post'],
  '/v2/sizes': ['get'],
  '/v2/snapshots': ['get'],
  '/v2/snapshots/{snapshot_id}': ['delete'],
  '/v2/tags': ['post'],
  '/v2/tags/{tag_id}': ['delete'],
  '/v2/tags/{tag_id}/resources': ['post', 'delete'],
}

/** Words for people, and what is no rule for what is sent. */
const LEFT_OUT = /^(?:description|summary|examples?|links|headers|security|operationId|tags|externalDocs|x-.*)$/
/** Below these every key is a name of theirs, and stays. */
const NAMES = ['properties', 'schemas', 'responses', 'parameters', 'mapping', 'paths']

type Json = Readonly<Record<string, unknown>>

/** @param description The whole document. @returns the operations above, and of the components what they need, each as it was. */
export function extracted(description: Json): Json {
  const paths = description['paths'] as Readonly<Record<string, Json>>
  const kept = Object.fromEntries(
    Object.entries(USED).map(([path, methods]) => {
      const operations = methods.map((method) => {
        const operation = paths[path]?.[method]
        if (!operation) throw new Error(`${method} ${path} is not described`)
        return [method, bare(operation)] as const
      })
      return [path, Object.fromEntries(operations)]
    }),
  )
  const components: Record<string, Record<string, unknown>> = {}
  const open = referencesIn(kept)
  for (const reference of open) {
    const [, , kind = '', name = ''] = reference.split('/')
    const known = (description['components'] as Readonly<Record<string, Json>>)[kind]?.[name]
    if (known === undefined) throw new Error(`${reference} leads nowhere`)
    components[kind] = { ...components[kind], [name]: bare(known) }
    for (const further of referencesIn(components[kind][name])) open.add(further) // a set goes on with what is added
  }
  const { license, title } = description['info'] as Json
  const notice =
    'An extract of DigitalOcean’s description of its API: the operations that Agentopia calls, without words for people.'
  return { openapi: description['openapi'], info: { title, license, 'x-notice': notice }, paths: kept, components }
}

function bare(node: unknown, areNames = false): unknown {
  if (Array.isArray(node)) return node.map((item) => bare(item))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => areNames || !LEFT_OUT.test(key))
      .map(([key, value]) => [key, bare(value, !areNames && NAMES.includes(key))]),
  )
}

function referencesIn(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found
  for (const [key, value] of Object.entries(node))
    if (key === '$ref' && typeof value === 'string') found.add(value.split('/').slice(0, 4).join('/'))
    else referencesIn(value, found)
  return found
}
