import type { Emulator } from './emulator.ts'

/** One API for several teams: the one whose token comes with a call answers it; the first one to a token of nobody. */
export const apiOf =
  (teams: readonly [Emulator, ...Emulator[]]): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const given = request.headers.get('authorization')
    const team = teams.find(({ world }) => given === `Bearer ${world.token}`) ?? teams[0]
    return team.fetch(request)
  }
