// Graphs of texts in folders, classes in tables, and sentence models in files.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readBytes, readJson, readText } from './files.js';
import { readCsv } from './formats/index.js';
import { isFolder, tableIn } from './graph-folder.js';
import { columnFinder } from './node-tables.js';
import { OnnxTextEncoder } from './onnx-text-encoder.js';
import { type ClassText, classTexts, type TextGraph, textGraphFromTables } from './text-graph.js';

/**
 * Reads a folder of `nodes` and `edges`, each .csv, .tsv or .txt, as `textGraphFromTables` does.
 *
 * @throws Error naming the file that is missing, or what is wrong with a line
 */
export function loadTextGraph(folder: string): TextGraph {
  if (!isFolder(folder)) throw new Error(`"${folder}" is no folder with nodes.csv (id,text) and edges.csv`);
  const read = (table: string) => {
    const path = tableIn(folder, table);
    if (!path) throw new Error(`folder "${folder}" holds no ${table}.csv (or .tsv, .txt)`);
    return readText(path);
  };
  return textGraphFromTables({ nodes: read('nodes'), edges: read('edges') }, basename(resolve(folder)));
}

/** Whether a path is a folder of nodes whose column `text` holds words, and of edges. */
export function isTextGraph(path: string): boolean {
  if (!isFolder(path) || !tableIn(path, 'edges')) return false;
  const nodes = tableIn(path, 'nodes');
  if (!nodes) return false;
  const table = readCsv(readText(nodes), nodes);
  const column = columnFinder(table)('text');
  return column >= 0 && table.rows.some((row) => Number.isNaN(Number(row[column])));
}

/** Reads classes as `classTexts` does. */
export function loadClassTexts(path: string): ClassText[] {
  return classTexts(readText(path), path);
}

/** A sentence model, and what tells it from others. */
export interface LoadedTextEncoder {
  /** The model. */
  readonly encoder: OnnxTextEncoder;
  /** SHA-256 of the model and its tokenizer in hexadecimal. */
  readonly digest: string;
}

/**
 * Reads a sentence model in ONNX; tokenizer.json lies beside it, or one folder up, where
 * all-MiniLM-L6-v2 has it.
 *
 * @throws Error naming the file that is missing or cannot be read
 */
export function loadOnnxTextEncoder(path: string): LoadedTextEncoder {
  const model = readBytes(path);
  const places = [dirname(path), dirname(dirname(resolve(path)))].map((folder) => join(folder, 'tokenizer.json'));
  const file = places.find(existsSync);
  if (!file) throw new Error(`"${path}" needs its tokenizer.json beside it, or one folder up`);
  const digest = createHash('sha256').update(model).update(readBytes(file)).digest('hex');
  try {
    return { encoder: new OnnxTextEncoder({ model, tokenizer: readJson(file) as object }), digest };
  } catch (error) {
    throw new Error(`"${path}" with "${file}": ${(error as Error).message}`);
  }
}
