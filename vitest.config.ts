import { defineConfig } from 'vitest/config'

const inPackages = (pattern: string) =>
  ['dtma', 'api', 'backend', 'cli', 'scripts', 'web', 'testbed'].map((name) => `${name}/**/${pattern}`)

// Four projects: `unit` needs nothing but Node, `docker` a Docker Engine, `faults` root and the programs of one to start its own,
// `e2e` the whole product and a browser. One file at a time leaves a core idle: two, each with things of its own names.
const POSTGRES = 'backend/src/store/testing.setup.ts'
const BUILT = 'scripts/built.setup.mjs'
const PATIENT = { setupFiles: ['scripts/patience.setup.mjs'], expect: { poll: { timeout: 10_000 } } }
const ENGINE = { maxWorkers: 2, sequence: { groupOrder: 1 } } as const

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          ...PATIENT,
          include: inPackages('*.test.ts'),
          exclude: ['**/node_modules/**', '**/*.docker.test.ts', '**/*.faults.test.ts'],
          globalSetup: [POSTGRES, BUILT],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          // Most of the time of a small test is that of loading what it tests; nothing here has a state in its modules.
          isolate: false,
        },
      },
      {
        test: {
          name: 'docker',
          ...PATIENT,
          include: inPackages('*.docker.test.ts'),
          exclude: ['**/node_modules/**'],
          globalSetup: [POSTGRES],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          ...ENGINE,
        },
      },
      {
        test: {
          name: 'faults',
          ...PATIENT,
          include: inPackages('*.faults.test.ts'),
          exclude: ['**/node_modules/**'],
          globalSetup: [POSTGRES],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...ENGINE,
        },
      },
      {
        test: {
          name: 'e2e',
          ...PATIENT,
          include: ['e2e/**/*.test.ts'],
          globalSetup: [POSTGRES, BUILT],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          ...ENGINE,
        },
      },
    ],
  },
})
