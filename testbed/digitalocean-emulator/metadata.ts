import { createServer, type Server } from 'node:http'
import { gatewayOf } from './droplets.ts'
import { present, type World } from './world.ts'

/** The metadata service of droplets: who asks is known by his address. */
export function createMetadataService(world: World): Server {
  return createServer((request, response) => {
    const address = request.socket.remoteAddress?.replace('::ffff:', '')
    const droplet = present(world).find((one) => one.address === address)
    const text = droplet && answer(request.url ?? '/', droplet)
    if (text === undefined) response.writeHead(404).end('not found')
    else response.end(text)
  })
}

type Droplet = ReturnType<typeof present>[number]

function answer(url: string, droplet: Droplet): string | undefined {
  const path = url.replace(/\/$/, '')
  if (path === '/metadata/v1.json') return JSON.stringify(document(droplet))
  const name = path.replace(/^\/metadata\/v1\//, '')
  const known: Readonly<Record<string, string>> = {
    id: String(droplet.id),
    hostname: droplet.name,
    region: droplet.region,
    'user-data': droplet.userData,
    'interfaces/public/0/ipv4/address': droplet.address,
    tags: droplet.tags.join('\n'),
  }
  return known[name]
}

const document = ({ id, name, userData, region, address, tags }: Droplet) => ({
  droplet_id: id,
  hostname: name,
  vendor_data: '#cloud-config\ndisable_root: false\n',
  user_data: userData,
  public_keys: [],
  region,
  interfaces: {
    public: [
      {
        ipv4: { ip_address: address, netmask: '255.255.0.0', gateway: gatewayOf(address) },
        mac: macOf(address),
        type: 'public',
      },
    ],
  },
  dns: { nameservers: [gatewayOf(address)] },
  tags,
  features: { dhcp_enabled: false },
})

/** As Docker derives it from the address. */
const macOf = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':')
