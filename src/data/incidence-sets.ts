// Edge-dependent labels by name or from an archive.

import { readBytes } from './files.js';
import { locateDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import { type IncidenceDataset, incidencesFromArrays } from './incidences.js';

/**
 * Loads a class for each vertex in each hyperedge: a known name, or a `.npz` archive as
 * `incidencesFromArrays` reads it.
 *
 * @throws Error for an unknown name, or naming an array that is missing or does not fit.
 */
export function loadIncidences(source: string): IncidenceDataset {
  const { path } = locateDataset(source, 'incidences');
  return incidencesFromArrays(readNpz(readBytes(path), source), source);
}
