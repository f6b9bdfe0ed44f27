/** Nothing came back: there is no connection, or it broke. The page itself may be in the best of order. */
export class Unreachable extends Error {}

/** Does what goes over the network, and nothing else: there a `TypeError` says that nothing came. @throws {Unreachable} */
export async function overNetwork<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (cause) {
    throw cause instanceof TypeError ? new Unreachable(cause.message, { cause }) : cause
  }
}
