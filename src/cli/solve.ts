// `gossamer solve`: differential equations, by a trained hypernetwork, a physics-informed network
// or finite differences.

import { Command, Option } from 'commander';
import { heatMap, type NumberMap, pictureGrid, writeCsv, writeNpy, writeNpz, writePng } from '../data/index.js';
import { interruptSignal, readBytes, requireWritable, writeFileAtomic } from '../data/node.js';
import {
  errorsOf,
  families,
  fineTune,
  HyPINO,
  interpolated,
  kindOf,
  ModulatedMLP,
  type Problem,
  referenceOf,
  reportOf,
  reportOfDifferences,
  Solution,
  type SolutionReport,
  type StatedProblem,
  solveByDifferences,
  solveByNetwork,
} from '../hypernet/index.js';
import { Random } from '../tensor/index.js';
import { number } from './arguments.js';
import { Bar } from './bar.js';
import { writeNote } from './output.js';
import { loadPoints, loadProblem, nodesOf, toSquare } from './problems.js';
import { useThreads } from './threads.js';

const methods = ['hypino', 'pinn', 'differences'] as const;

interface Flags {
  readonly out: string;
  readonly model?: string;
  readonly method?: (typeof methods)[number];
  readonly refine: number | 'auto';
  readonly finetune?: number;
  readonly polish?: number;
  readonly grid: number;
  readonly picture?: string;
  readonly at?: string;
  readonly save?: string;
  readonly seed: number;
  readonly threads?: number;
  readonly json: boolean;
}

const examples = `
Examples
  gossamer solve problem.json -o solution.npz --picture solution.png     by finite differences
  gossamer solve problem.json --method pinn -o solution.npz              by a network trained on this problem alone
  gossamer fit gentle --model hypino -o hypino.safetensors               learn to solve, once, from random problems
  gossamer solve problem.json --model hypino.safetensors -o solution.npz in one pass, refined by further ones
  gossamer solve problem.json --model hypino.safetensors --refine 3 --finetune 300 -o solution.csv
  gossamer solve problem.json --method pinn --save u.safetensors --at points.csv -o values.csv
  gossamer predict u.safetensors points.csv                              the saved solution at other points

problem.json states c_u·u + c_x·u_x + c_y·u_y + c_xx·u_xx + c_yy·u_yy = f on a rectangle:
  {"operator": {"uxx": 1, "uyy": 1}, "source": "-2*pi^2*sin(pi*x)*sin(pi*y)",
   "box": {"x": [0, 2], "y": [0, 1]}, "boundary": {"all": {"dirichlet": 0}, "right": {"neumann": "cos(pi*y)"}},
   "holes": [{"disk": [1, 0.5, 0.2], "dirichlet": 1}], "exact": "sin(pi*x)*sin(pi*y)"}
and where y is time, {"operator": {"uxx": 0.2, "uy": -1}, "boundary": {"left": {"dirichlet": 0},
"right": {"dirichlet": 0}, "bottom": {"dirichlet": "cos(pi*x/2)"}}}; hyperbolic equations have u_t at the bottom as
"velocity". Neumann data are derivatives along the normal that leads out. Holes are disk [x, y, radius], rectangle
[x0, y0, x1, y1] or polygon [[x, y], …]; "exact" is optional. In place of a formula, {"file": "f.npy"} or a .csv without
a header holds values over the box, the first row at the largest y.`;

export function solveCommand(): Command {
  return new Command('solve')
    .description('solve a differential equation that a file states')
    .argument('<problem>', 'the problem, .json')
    .requiredOption('-o, --out <file>', 'u and the residual on a grid (.npz), u alone (.npy), or rows x,y,u (.csv)')
    .option('--model <file>', 'a model of gossamer fit --model hypino')
    .addOption(new Option('--method <name>', 'how; hypino with --model, else differences').choices(methods))
    .option('--refine <n>', 'hypino: rounds of refinement, or auto', rounds, 'auto')
    .option('--finetune <n>', 'steps of training on this problem (pinn 2000, hypino 0)', number(0))
    .option('--polish <n>', 'iterations of L-BFGS after them (pinn 200, hypino 0)', number(0))
    .option('--grid <n>', 'nodes a side of the answer', number(8), 65)
    .option('--picture <file>', 'solution, residual and, where it is known, error, side by side, .png')
    .option('--at <table>', 'columns x and y: u at these points in place of a grid; -o is a .csv')
    .option('--save <file>', 'keep the network, for gossamer predict')
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(solve);
}

function rounds(text: string): number | 'auto' {
  return text === 'auto' ? text : number(0)(text);
}

/** A solution as a network, where there is one, and its report. */
interface Answer {
  readonly report: SolutionReport;
  readonly solution: Solution | undefined;
  readonly lines: readonly string[];
}

async function solve(path: string, flags: Flags): Promise<void> {
  const { out, picture, save, at, model } = flags;
  const form = /\.(npz|npy|csv)$/.exec(out)?.[1];
  if (form === undefined) throw new Error(`"${out}": write a .npz, .npy or .csv`);
  if (at !== undefined && form !== 'csv') throw new Error(`--at: values at points are rows; name a .csv, not "${out}"`);
  if (picture !== undefined && !picture.endsWith('.png')) throw new Error(`--picture "${picture}": write a .png`);
  for (const file of [out, picture, save]) if (file !== undefined) requireWritable(file);
  const method = flags.method ?? (model === undefined ? 'differences' : 'hypino');
  if (method === 'hypino' && model === undefined)
    throw new Error('--method hypino needs --model FILE, which gossamer fit gentle --model hypino makes');
  if (method === 'differences' && save !== undefined)
    throw new Error('--save keeps a network, and finite differences make none; choose --method pinn or --model');
  useThreads(flags.threads);
  const stated = loadProblem(path);
  const points = at === undefined ? undefined : loadPoints(at);
  const started = performance.now();
  const answer =
    method === 'differences' ? byDifferences(stated.problem, flags) : await byNetwork(stated.problem, method, flags);
  const seconds = (performance.now() - started) / 1000;
  if (!answer) return;
  if (save !== undefined && answer.solution) writeFileAtomic(save, answer.solution.save(stated.box));
  writeFileAtomic(out, contents(form, stated, answer, points));
  if (picture !== undefined) writeFileAtomic(picture, drawn(stated.problem, answer.report));
  print(flags, method, stated, answer, seconds);
}

function byDifferences(problem: Problem, { grid }: Flags): Answer {
  const report = reportOfDifferences(problem, solveByDifferences(problem, grid));
  return { report, solution: undefined, lines: [`finite differences with ${grid} × ${grid} nodes`] };
}

/**
 * Fourier features of a network that is trained from a random start: fewer than a hypernetwork's,
 * which make it rough at first and slow.
 */
const FREQUENCIES = 4;

/** @returns undefined after Ctrl-C */
async function byNetwork(problem: Problem, method: 'hypino' | 'pinn', flags: Flags): Promise<Answer | undefined> {
  const { model, refine, grid, seed } = flags;
  const polish = flags.polish ?? (method === 'pinn' ? 200 : 0);
  const steps = flags.finetune ?? (method === 'pinn' ? 2000 : 0);
  const random = new Random(seed);
  let solution = Solution.random(new ModulatedMLP({ frequencies: FREQUENCIES }), random.split('start'));
  const lines: string[] = [];
  if (method === 'hypino') {
    const made = HyPINO.load(readBytes(model as string), model as string);
    const refined = solveByNetwork(made, problem, { rounds: refine });
    solution = refined.solution;
    const left = refined.discrepancies.map((value) => value.toPrecision(3)).join(' → ');
    lines.push(`${solution.members.length} networks of ${solution.target.size} numbers; discrepancy by round: ${left}`);
    noteFamily(made, problem);
  }
  if (steps > 0 || polish > 0) {
    const bar = new Bar('training', 'steps');
    const { signal, release } = interruptSignal();
    try {
      const onProgress = (step: number) => bar.update(step / Math.max(1, steps), step);
      const tuned = await fineTune(problem, solution, random.split('training'), { steps, polish, signal, onProgress });
      solution = tuned.solution;
      lines.push(`${steps} steps of Adam${polish > 0 ? ` and ${polish} iterations of L-BFGS` : ''} on this problem`);
    } catch (error) {
      if (!signal.aborted) throw error;
      process.stderr.write('\nstopped; nothing was written\n');
      process.exitCode = 130;
      return undefined;
    } finally {
      bar.close();
      release();
    }
  }
  return { report: reportOf(problem, solution, grid), solution, lines };
}

/** Notes where a problem is of a kind that the model was not trained on. */
function noteFamily({ trained }: HyPINO, problem: Problem): void {
  if (!trained) {
    writeNote('the model was not trained; its answers mean nothing');
    return;
  }
  const { kinds, holes, operators, neumann } = families[trained.family];
  const kind = kindOf(problem.operator);
  const beyond = [
    ...(operators === 'well-posed' && !(kinds as readonly string[]).includes(kind) ? [`${kind} equations`] : []),
    ...(holes === 0 && problem.holes.length > 0 ? ['holes'] : []),
    ...(neumann === 0 && Object.values(problem.edges).some(({ neumann: flux }) => flux) ? ['Neumann data'] : []),
  ];
  if (beyond.length > 0)
    writeNote(`the model was trained on the family "${trained.family}", which has no ${beyond.join(' and no ')}`);
}

/** How many times the figures of training an answer may exceed before a warning. */
const FAR = 2;

function print(
  flags: Flags,
  method: string,
  { problem }: StatedProblem,
  { report, lines }: Answer,
  seconds: number,
): void {
  const { relativeResidual, boundary, grid } = report;
  const error = problem.exact && errorsOf(referenceOf(problem, grid.size), grid.values).relative;
  const figures = { residual: relativeResidual, boundary, ...(error !== undefined && { error }), seconds };
  if (flags.json)
    process.stdout.write(`${JSON.stringify({ method, kind: kindOf(problem.operator), ...figures, out: flags.out })}\n`);
  else {
    const shown = [
      `${kindOf(problem.operator)} equation by ${method} in ${seconds.toFixed(2)} s`,
      ...lines,
      `relative residual ${relativeResidual.toPrecision(3)}${method === 'differences' ? ' (by differences of fourth order)' : `, relative boundary error ${boundary.toPrecision(3)}`}`,
      ...(error === undefined ? [] : [`relative L2 error against "exact" ${error.toPrecision(3)}`]),
      flags.out,
    ];
    process.stdout.write(`${shown.join('\n')}\n`);
  }
  if (method === 'hypino' && flags.model !== undefined) warnOfMisses(flags.model, relativeResidual, boundary);
}

function warnOfMisses(path: string, residual: number, boundary: number): void {
  const { trained } = HyPINO.load(readBytes(path), path);
  if (trained && (residual > FAR * trained.residual || boundary > FAR * trained.boundary))
    writeNote(
      `residual or boundary error are more than ${FAR} times what training left (${trained.residual.toPrecision(2)}, ${trained.boundary.toPrecision(2)}): do not trust this answer; --finetune 1000 or --method differences may do better`,
    );
}

/** The file of an answer. */
function contents(
  form: string,
  { box }: StatedProblem,
  { report, solution }: Answer,
  points: Float64Array | undefined,
): string | Uint8Array {
  const { grid, residual } = report;
  const { size: n, values } = grid;
  const { x, y } = nodesOf(box, n);
  if (form === 'npz')
    return writeNpz({
      x: { shape: [n], values: x },
      y: { shape: [n], values: y },
      u: { shape: [n, n], values },
      residual: { shape: [n, n], values: residual },
    });
  if (form === 'npy') return writeNpy({ shape: [n, n], values });
  if (!points)
    return writeCsv(
      ['x', 'y', 'u'],
      Array.from(values, (u, at) => [x[at % n] as number, y[Math.floor(at / n)] as number, u]),
    );
  const square = toSquare(box, points);
  const u =
    solution?.valuesAt(square) ??
    Float64Array.from({ length: square.length / 2 }, (_, i) =>
      interpolated(grid, square[2 * i] as number, square[2 * i + 1] as number),
    );
  return writeCsv(
    ['x', 'y', 'u'],
    Array.from(u, (value, i) => [points[2 * i] as number, points[2 * i + 1] as number, value]),
  );
}

/**
 * Solution, |residual| and |error| as colours, each from its smallest to its largest; holes dark.
 */
function drawn(problem: Problem, { grid, residual }: SolutionReport): Uint8Array {
  const { size: n, values } = grid;
  const map = (numbers: Float64Array): NumberMap => {
    const known = numbers.filter((value) => !Number.isNaN(value));
    const least = known.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
    return { rows: n, columns: n, values: numbers.map((value) => (Number.isNaN(value) ? 0 : value - least)) };
  };
  const exact = problem.exact && referenceOf(problem, n).values;
  const maps = [
    values,
    residual.map(Math.abs),
    ...(exact ? [values.map((u, i) => Math.abs(u - (exact[i] as number)))] : []),
  ];
  return writePng(
    pictureGrid(
      maps.map((numbers) => heatMap(map(numbers), 256)),
      maps.length,
    ),
  );
}
