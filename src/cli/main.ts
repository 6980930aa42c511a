#!/usr/bin/env node
// The `gossamer` command. Only the command that is asked for is loaded.

import module from 'node:module';
import { Command, CommanderError } from 'commander';
import { commands } from './commands.js';
import { endWithReaders, outputError } from './streams.js';

endWithReaders();
// From Node 22 on, code that was compiled once is read from a cache.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();

const program = new Command('gossamer')
  .description('Efficient neural networks on your own device.')
  .version('0.1.0')
  .showHelpAfterError('(add --help for usage)')
  .exitOverride();
const [first, second] = process.argv.slice(2);
const asked = first === 'help' ? second : first;
for (const [name, { description, load }] of Object.entries(commands)) {
  const command = name === asked ? await load() : new Command(name);
  program.addCommand(command.description(description));
  for (const own of [command, ...command.commands]) own.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints an error on one line and gives the exit code: 2 for bad input, 130 after Ctrl-C. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { name, message, stack } = error as Error;
  const reason = outputError(error as NodeJS.ErrnoException) ?? forUsers(message.split('\n')[0] as string);
  if (name === 'AbortError') return 130;
  console.error(process.env.GOSSAMER_DEBUG ? stack : `gossamer: ${reason}`);
  return 2;
}

/** What the engine advises who writes a loop, as advice for who calls a command. */
function forUsers(message: string): string {
  return message.replace(
    /^(out of memory: .*); run each step of a loop in scope.*$/,
    '$1; smaller batches, widths or pictures take less: --help lists the options',
  );
}
