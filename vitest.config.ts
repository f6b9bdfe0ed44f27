import { defineConfig } from 'vitest/config'

const inPackages = (pattern: string) =>
  ['dtma', 'api', 'backend', 'cli', 'scripts', 'web', 'testbed'].map((name) => `${name}/**/${pattern}`)

// Four projects: `unit` needs nothing but Node, `docker` a Docker Engine, `faults` root and the programs of one to start its own,
// `e2e` the whole product and a browser.
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: inPackages('*.test.ts'),
          exclude: ['**/node_modules/**', '**/*.docker.test.ts', '**/*.faults.test.ts'],
          globalSetup: ['backend/src/store/testing.setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'docker',
          include: inPackages('*.docker.test.ts'),
          exclude: ['**/node_modules/**'],
          globalSetup: ['backend/src/store/testing.setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          include: inPackages('*.faults.test.ts'),
          exclude: ['**/node_modules/**'],
          globalSetup: ['backend/src/store/testing.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          globalSetup: ['backend/src/store/testing.setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
