// Searches of any super-network, measured by a command of the user.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { frontOf, GeneSpace, type LogEntry, type Measurement } from '../../../compress/index.js';
import { readJson, writeFileAtomic } from '../../../data/node.js';
import type { Configuration, Genes } from '../../../nn/index.js';
import { frontPicture, frontTable, frontText } from './files.js';
import type { HwNasFlags } from './flags.js';
import { chosenOf, loggedSearch } from './run.js';

/** Searches the genes of a JSON file. */
export async function searchByCommand(path: string, flags: HwNasFlags, command: string): Promise<void> {
  if (flags.supernet !== undefined || flags.bits)
    throw new Error('--evaluate measures by a command; leave out --supernet and --bits');
  const genes = genesOf(readJson(path), path);
  const result = await loggedSearch(flags, genes, (own) => measuredBy(command, own), { command });
  if (!result) return;
  const space = new GeneSpace(genes);
  const front = frontOf(result.evaluations, flags.objectives);
  const chosen = chosenOf(front, flags);
  const entries = front.map((own): LogEntry => ({ genome: space.encode(own.configuration), measured: own.measured }));
  writeFileAtomic(join(flags.out, 'front.csv'), frontTable(space, entries, front.indexOf(chosen)));
  writeFileAtomic(join(flags.out, 'front.svg'), frontPicture(result.evaluations, front, chosen, flags.objectives));
  writeFileAtomic(join(flags.out, 'chosen.json'), `${JSON.stringify(chosen, null, 2)}\n`);
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ chosen, front })}\n`
      : `${frontText(front, chosen)}\n${flags.out}/: log.csv, front.csv, front.svg, chosen.json\n`,
  );
}

/** Genes of a JSON file. @throws Error naming the group that is none */
function genesOf(value: unknown, path: string): Genes {
  const groups = Object.entries((typeof value === 'object' && value) || {});
  if (groups.length === 0 || Array.isArray(value))
    throw new Error(`"${path}": expected {"gene": {"count": 1, "values": […]}}`);
  for (const [name, group] of groups) {
    const { count, values } = (group ?? {}) as { readonly count?: unknown; readonly values?: unknown };
    if (!Number.isInteger(count) || !Array.isArray(values) || !values.every((own) => typeof own === 'number'))
      throw new Error(`"${path}": "${name}" needs a count and a list of numbers as values`);
  }
  return value as Genes;
}

/**
 * What a command prints for a configuration.
 *
 * @throws Error when it fails or prints no JSON of numbers
 */
async function measuredBy(command: string, configuration: Configuration): Promise<Measurement> {
  const argument = JSON.stringify(configuration);
  const [code, text] = await new Promise<[number | null, string]>((resolve, reject) => {
    const child = spawn(`${command} '${argument}'`, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('error', reject);
    child.on('close', (status) => resolve([status, Buffer.concat(pieces).toString()]));
  });
  if (code !== 0) throw new Error(`--evaluate: the command ended with ${code} for ${argument}`);
  try {
    const measured = JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    const entries = Object.entries(measured);
    if (entries.length > 0 && entries.every(([, value]) => typeof value === 'number')) return measured as Measurement;
  } catch {
    // Said below.
  }
  throw new Error(
    `--evaluate: expected {"accuracy": 0.9, …} from the command for ${argument}, got ${text.slice(0, 200)}`,
  );
}
