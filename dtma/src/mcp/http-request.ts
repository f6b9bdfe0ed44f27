const NAME = /^[\w!#$%&'*+.^`|~-]+$/
const VALUE = /^[\t\x20-\x7e]*$/

/**
 * A whole request of HTTP/1.1, for an answer that may be JSON or an event stream.
 * @param body JSON. Absent: the standing stream of events is asked for.
 * @throws {Error} What stands in headers comes from servers and callers: what no header can hold is not sent.
 */
export function requestText(
  method: 'GET' | 'POST',
  { host, pathname, search }: URL,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  let text = `${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n`
  if (body === undefined) text += 'accept: text/event-stream\r\n'
  else {
    text += 'accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n'
    text += `content-length: ${Buffer.byteLength(body)}\r\n`
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value)) throw new Error(`The header ${JSON.stringify(name)} cannot be sent`)
    text += `${name}: ${value}\r\n`
  }
  return `${text}\r\n${body ?? ''}`
}
