// Users of wearable sensors: generated ones, those of WISDM or of a table of one's own; some of
// them donors, whose labelled rows the server holds.

import type { ColumnTable } from '../../data/index.js';
import { loadLabelledTable, loadUserTable } from '../../data/node.js';
import {
  type Donor,
  heterogeneityLevels,
  type PrivateRows,
  pickRows,
  SENSOR_CLASSES,
  type Standardization,
  sensorUsers,
  splitByTime,
  standardizationOf,
  standardized,
  usersOfTable,
} from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';

/** People with labelled rows. */
export interface SensorData {
  readonly name: string;
  readonly classes: readonly string[];
  readonly people: readonly { readonly name: string; readonly rows: PrivateRows }[];
}

export const sensorSets = ['sensors-strong', 'sensors-mild', 'wisdm'];

/** Windows of a generated person: the first 70 % train. */
const GENERATED = { rows: 210, people: 26 };

/** @throws Error naming a column that a table of one's own lacks */
export async function loadSensors(
  source: string,
  { user, target }: { user: string; target: string },
): Promise<SensorData> {
  if (source === 'sensors-strong' || source === 'sensors-mild') {
    const level = heterogeneityLevels[source === 'sensors-mild' ? 'mild' : 'strong'];
    const people = sensorUsers(GENERATED.people, GENERATED.rows, level, new Random(0));
    return {
      name: source,
      classes: Array.from({ length: SENSOR_CLASSES }, (_, c) => `activity ${c + 1}`),
      people: people.map((rows, i) => ({ name: `person ${i + 1}`, rows })),
    };
  }
  const own = source === 'wisdm' ? { user: 'user', target: 'activity' } : { user, target };
  const table =
    source === 'wisdm' ? await wisdmTable() : await loadUserTable(source, user, { categorical: [user], target });
  const { users, classes } = usersOfTable(table, own);
  return { name: source, classes, people: users };
}

/** The known table, its classes again a column. */
async function wisdmTable(): Promise<ColumnTable> {
  const { table, labels, classes } = await loadLabelledTable('wisdm');
  const values = Array.from(labels, (label) => classes[label] as string);
  return { rows: table.rows, columns: [...table.columns, { name: 'activity', kind: 'category', values }] };
}

/** One draw of donors, users, splits and labels. */
export interface DrawnFederation {
  readonly classes: number;
  readonly width: number;
  readonly donors: readonly Donor[];
  /** Rows of the donors, as clients hold them. */
  readonly donorRows: readonly PrivateRows[];
  readonly users: readonly DrawnUser[];
  /** Statistics that all parties standardise by, where they share them. */
  readonly shared: Standardization | undefined;
}

export interface DrawnUser {
  readonly name: string;
  /** Earlier rows; classes of the drawn ones alone. */
  readonly train: PrivateRows;
  /** All classes of the earlier rows. */
  readonly truth: Int32Array;
  /** Later rows with their classes. */
  readonly test: PrivateRows;
}

export interface DrawOptions {
  /** People whose labelled rows the server holds. */
  readonly donors: number;
  /** Labels of a user, or a share of its rows below 1. */
  readonly labels: number;
  /** Users at most. Default: all. */
  readonly users?: number;
  /** Donors that stand in as users, on whom settings are chosen; the server lacks them. */
  readonly heldOut?: number;
  /** Whose statistics rows are standardised by. */
  readonly statistics: 'donors' | 'user';
}

/** Draws donors and users. */
export function drawFederation(
  { people, classes }: SensorData,
  { donors, labels, users, heldOut = 0, statistics }: DrawOptions,
  random: Random,
): DrawnFederation {
  if (people.length <= donors) throw new Error(`${people.length} people are too few for ${donors} donors and users`);
  const order = Array.from(
    random.split('people').permutation(people.length),
    (at) => people[at] as (typeof people)[number],
  );
  const own = order.slice(heldOut, donors);
  const asUsers = [...order.slice(0, heldOut), ...order.slice(donors)].slice(
    0,
    users === undefined ? undefined : users + heldOut,
  );
  const rows = own.map((person) => person.rows);
  const shared = statistics === 'donors' ? standardizationOf(...rows) : undefined;
  return {
    classes: classes.length,
    width: (people[0] as (typeof people)[number]).rows.width,
    shared,
    donorRows: rows,
    donors: own.map(({ name, rows: { values, labels: truth, count, width } }) => ({
      name,
      x: standardized(values, shared ?? standardizationOf({ count, width, values })),
      labels: truth,
    })),
    users: asUsers.map((person) =>
      drawnUser(person, classes.length, labels, random.split('labels').split(person.name)),
    ),
  };
}

function drawnUser(
  { name, rows }: SensorData['people'][number],
  classes: number,
  labels: number,
  random: Random,
): DrawnUser {
  const { train, test } = splitByTime(rows.labels, classes);
  const own = pickRows(rows, train);
  const count = Math.min(own.count, labels < 1 ? Math.round(labels * own.count) : labels);
  // More labels are those of fewer, and others.
  const known = new Set(random.permutation(own.count).subarray(0, count));
  return {
    name,
    train: { ...own, labels: own.labels.map((label, row) => (known.has(row) ? label : -1)) },
    truth: own.labels,
    test: pickRows(rows, test),
  };
}

export function describeSensors({ name, people, classes }: SensorData): string {
  const rows = people.reduce((sum, own) => sum + own.rows.count, 0);
  return `${name}: ${rows} windows of ${people.length} people, ${people[0]?.rows.width} numbers each, ${classes.length} activities`;
}
