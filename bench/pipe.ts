// The least that an HTTP hop can cost in Node: every request goes on as it came. `pipe.ts <port> <upstream port>`
import { Agent, createServer, request as send } from 'node:http'

const [port, upstream] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true, maxSockets: 256 })

createServer((request, response) => {
  const { url: path, method, headers } = request
  const outgoing = send({ host: '127.0.0.1', port: upstream, path, method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(response)
  })
  outgoing.on('error', () => response.destroy())
  request.pipe(outgoing)
}).listen(port, '127.0.0.1')
