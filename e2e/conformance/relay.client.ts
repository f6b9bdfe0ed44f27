import { env, exit } from 'node:process'

// What the suite starts as a client: it says to a test where the suite's server is, and ends when the test has used it.

const [, , toTest = '', server = ''] = process.argv
const answer = await fetch(toTest, {
  method: 'POST',
  body: JSON.stringify({ server, context: JSON.parse(env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') }),
})
exit(answer.ok ? 0 : 1)
