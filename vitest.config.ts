import { defineConfig } from 'vitest/config';

// Tests that change what a process has once: its threads, its memory, its environment.
const alone = ['test/engine/**/*.test.ts', 'test/browser/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      // The others share the modules of a worker: loading them anew took as long as many a test.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          isolate: false,
          setupFiles: 'test/memory.ts',
        },
      },
    ],
  },
});
