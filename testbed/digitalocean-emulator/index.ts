export { createEmulator, type Emulator } from './emulator.ts'
export { guardsOf } from './firewalls.ts'
export { apiOf } from './teams.ts'
