// Labelled WAV files: a folder with a folder of them for each class, or with a table of events.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { readBytes, readText } from './files.js';
import { readCsv } from './formats/csv.js';
import { readWav, type Sound } from './formats/wav.js';
import { isFolder, tableIn } from './graph-folder.js';
import { columnFinder } from './node-tables.js';
import { type LabelledSound, resampled, type SoundEvent, type SoundSet, secondsOf } from './sounds.js';

/** Whether a name ends as those of WAV files do. */
const isWav = (name: string) => /\.wave?$/i.test(name);

/** The WAV files of a folder of any depth, or one file, in order. */
export function wavFilesIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && isWav(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Whether a folder holds WAV files, by themselves or below folders. */
export function isSoundFolder(path: string): boolean {
  return isFolder(path) && readdirSync(path, { recursive: true, encoding: 'utf8' }).some(isWav);
}

/** Options of `loadSounds`. */
export interface SoundFolderOptions {
  /** Called with what is resampled or left out. */
  readonly onNote?: (text: string) => void;
}

/** A WAV file at a rate, resampled where it has another. */
export function loadSound(path: string, rate?: number): Sound {
  const sound = readWav(readBytes(path), path);
  return rate === undefined ? sound : resampled(sound, rate);
}

/**
 * Reads the WAV files of a folder. With a table `events.csv` (or `.tsv`) in it, whose header names
 * file, event, start and end (in seconds), its sounds are those that the table names and those
 * beside them, which then have no events. Without one, each folder in it is a class. Sounds of
 * another rate than most are resampled, with a note.
 *
 * @throws Error naming the file that cannot be read or has other channels, the line of the table
 * that is wrong, or the folder without two classes
 */
export function loadSounds(path: string, { onNote }: SoundFolderOptions = {}): SoundSet {
  if (!isFolder(path)) throw new Error(`"${path}" is no folder`);
  const table = tableIn(path, 'events');
  const listed = table ? withEvents(path, table) : byClass(path);
  const read = listed.files.map(({ file, events }) => ({ file, events, sound: loadSound(file) }));
  const [first] = read;
  if (!first) throw new Error(`folder "${path}" holds no WAV files`);
  const odd = read.find(({ sound }) => sound.channels.length !== first.sound.channels.length);
  if (odd)
    throw new Error(
      `"${odd.file}" has ${odd.sound.channels.length} channels, "${first.file}" ${first.sound.channels.length}; a model hears one number of channels`,
    );
  const rate = usualRate(read.map(({ sound }) => sound.rate));
  const others = read.filter(({ sound }) => sound.rate !== rate).length;
  if (others > 0) onNote?.(`${others} of ${read.length} sounds are resampled to ${rate} Hz, the rate of most`);
  const sounds = read.map(({ file, events, sound }): LabelledSound => {
    const name = relative(path, file);
    const length = secondsOf(sound);
    const late = events(length).find(({ end }) => end > length + 0.01);
    if (late)
      throw new Error(`"${table}": an event of "${name}" ends at ${late.end} s, the file at ${length.toFixed(3)} s`);
    return { name, sound: resampled(sound, rate), events: events(length) };
  });
  return { name: basename(resolve(path)), whole: table === undefined, classes: listed.classes, sounds };
}

/** The rate of most; the higher of equals. */
function usualRate(rates: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const rate of rates) counts.set(rate, (counts.get(rate) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || b - a)[0]?.[0] as number;
}

/** Files with their events, which may depend on their length. */
interface Listed {
  readonly classes: readonly string[];
  readonly files: readonly { readonly file: string; readonly events: (length: number) => readonly SoundEvent[] }[];
}

function byClass(path: string): Listed {
  const folders = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ name: name.normalize('NFC'), files: wavFilesIn(join(path, name)) }))
    .filter(({ files }) => files.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (folders.length < 2)
    throw new Error(
      `folder "${path}" must hold a folder of WAV files for each of at least two classes, or a table events.csv (file,event,start,end); it holds ${folders.length} such folders`,
    );
  return {
    classes: folders.map(({ name }) => name),
    files: folders.flatMap(({ files }, label) =>
      files.map((file) => ({ file, events: (length: number) => [{ label, start: 0, end: length }] })),
    ),
  };
}

/** A time in seconds. */
const TIME = /^\d+(\.\d*)?([eE][-+]?\d+)?$/;

function withEvents(path: string, table: string): Listed {
  const read = readCsv(readText(table), table);
  const { columns, rows } = read;
  const find = columnFinder(read);
  const [file, event, start, end] = ['file', 'event', 'start', 'end'].map((name) => {
    const at = find(name);
    if (at < 0)
      throw new Error(`"${table}": the header must name file, event, start and end, got ${columns.join(', ')}`);
    return at;
  }) as [number, number, number, number];
  const named = new Map<string, { event: string; start: number; end: number }[]>();
  for (const own of wavFilesIn(path)) named.set(own, []);
  for (const [line, row] of rows.entries()) {
    const fail = (reason: string): never => {
      throw new Error(`"${table}", line ${line + 2}: ${reason}`);
    };
    const own = join(path, row[file] as string);
    if (relative(path, own).startsWith('..')) fail(`"${row[file]}" is outside of the folder`);
    const events = named.get(own);
    if (!events) return fail(existsSync(own) ? `"${row[file]}" is no WAV file` : `there is no file "${row[file]}"`);
    const [from, to] = [start, end].map((at) => {
      const text = (row[at] as string).trim();
      return TIME.test(text) ? Number(text) : fail(`"${text}" is no time in seconds`);
    }) as [number, number];
    if (!(to > from)) fail(`the event ends at ${to} s, not after its start at ${from} s`);
    if ((row[event] as string).trim() === '') fail('the event has no name');
    events.push({ event: (row[event] as string).trim(), start: from, end: to });
  }
  const classes = [...new Set([...named.values()].flatMap((events) => events.map((own) => own.event)))].sort();
  if (classes.length === 0) throw new Error(`"${table}" names no event`);
  return {
    classes,
    files: [...named].map(([own, events]) => {
      const labelled = events.map((one) => ({ label: classes.indexOf(one.event), start: one.start, end: one.end }));
      return { file: own, events: () => labelled };
    }),
  };
}
