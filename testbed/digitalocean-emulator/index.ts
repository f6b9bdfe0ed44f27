export { createEmulator, type Emulator } from './emulator.ts'
