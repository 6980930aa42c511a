#!/usr/bin/env node
// The `gossamer` command.

import { Command, CommanderError } from 'commander';
import { classifyCommand } from './classify.js';
import { compressCommand } from './compress.js';
import { embedCommand } from './embed.js';
import { fitCommand } from './fit.js';
import { infoCommand } from './info.js';
import { listCommand } from './list.js';
import { lmCommand } from './lm.js';
import { predictCommand } from './predict.js';
import { rankCommand } from './rank.js';
import { runCommand } from './run.js';
import { serveCommand } from './serve.js';
import { trainCommand } from './train.js';

const program = new Command('gossamer')
  .description('Efficient neural networks on your own device.')
  .version('0.1.0')
  .showHelpAfterError('(add --help for usage)')
  .addCommand(listCommand())
  .addCommand(infoCommand())
  .addCommand(runCommand())
  .addCommand(fitCommand())
  .addCommand(predictCommand())
  .addCommand(trainCommand())
  .addCommand(classifyCommand())
  .addCommand(compressCommand())
  .addCommand(lmCommand())
  .addCommand(serveCommand())
  .addCommand(embedCommand())
  .addCommand(rankCommand())
  .exitOverride();
for (const command of program.commands) for (const own of [command, ...command.commands]) own.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints an error on one line and gives the exit code: 2 for bad input, 130 after Ctrl-C. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { name, message, stack } = error as Error;
  if (name === 'AbortError') return 130;
  console.error(process.env.GOSSAMER_DEBUG ? stack : `gossamer: ${message.split('\n')[0]}`);
  return 2;
}
