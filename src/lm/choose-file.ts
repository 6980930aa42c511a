// Which files of a repository make a model: the best quantisation that fits memory, or safetensors.

/** A file that can be chosen. */
export interface ModelFile {
  /** Path in the repository. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** Files of one model. */
export interface ChosenModel<File extends ModelFile> {
  /** All that must be there. */
  readonly files: readonly File[];
  /** The file to open, the first of a split model; undefined for the folder itself. */
  readonly open: string | undefined;
  /** About how many bytes the weights take in memory. */
  readonly bytes: number;
  /** Whether they fit the memory for weights; otherwise every pass reads some from the file. */
  readonly fits: boolean;
}

/**
 * Quantisations, the best first, by the part of a file's name. The second number is bytes in memory
 * for each byte of the file: nibbles and bytes are repacked with float32 scales, five and six bits
 * to bytes, halves to float32.
 */
const quantisations: Readonly<Record<string, number>> = {
  ...{ Q8_0: 1.06, Q6_K: 1.52, Q5_K_M: 1.75, Q5_K: 1.75, Q5_1: 1.67, Q5_K_S: 1.8, Q5_0: 1.82 },
  ...{ Q4_K_M: 1.37, Q4_K: 1.37, Q4_1: 1.2, Q4_K_S: 1.33, Q4_0: 1.11 },
  ...{ F16: 2, BF16: 2, F32: 1 },
};
const order = Object.keys(quantisations);
const FLOATS = new Set(['F16', 'BF16', 'F32']);

/** Bytes in memory for each byte of safetensors, which are mostly of 16 bits. */
const SAFETENSORS = 2;

const PART = /-(\d{5})-of-(\d{5})\.gguf$/;
/** Files in GGUF that are no language model. */
const OTHER = /(^|[/_.-])(mmproj|imatrix)([/_.-]|$)/i;

/** The quantisation that a file's name ends with, in capitals; empty when it names none. */
function quantisationOf(path: string): string {
  const name = path.split('/').pop() ?? '';
  const [, found = ''] =
    /[.-]((?:I?Q\d[\w]*|B?F16|F32|TQ\d[\w]*|MXFP4\w*))\.gguf$/i.exec(name.replace(PART, '.gguf')) ?? [];
  return found.toUpperCase();
}

interface Gguf<File> {
  readonly files: readonly File[];
  readonly open: string;
  readonly kind: string;
  readonly size: number;
}

/** Models in GGUF, the parts of split ones together; incomplete ones are left out. */
function ggufOf<File extends ModelFile>(files: readonly File[]): Gguf<File>[] {
  const sets = new Map<string, File[]>();
  for (const file of files) {
    if (!file.path.endsWith('.gguf') || OTHER.test(file.path)) continue;
    const whole = file.path.replace(PART, '-$2.gguf');
    sets.set(whole, [...(sets.get(whole) ?? []), file]);
  }
  return [...sets.values()].flatMap((parts) => {
    const sorted = parts.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const first = sorted[0]?.path ?? '';
    const count = Number(PART.exec(first)?.[2] ?? 1);
    if (sorted.length !== count) return [];
    return [{ files: sorted, open: first, kind: quantisationOf(first), size: sizeOf(sorted) }];
  });
}

const sizeOf = (files: readonly ModelFile[]) => files.reduce((sum, { size }) => sum + size, 0);

const BESIDE =
  /^((config|generation_config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json|chat_template\.jinja|additional_chat_templates\/[^/]+\.jinja)$/;

/** A model in safetensors; undefined when there is none. */
function folderOf<File extends ModelFile>(files: readonly File[]): readonly File[] | undefined {
  const has = (path: string) => files.some((file) => file.path === path);
  const weights = files.filter(({ path }) => /^[^/]+\.safetensors$/.test(path));
  // Some repositories hold the weights a second time, in the layout of their authors.
  const named = weights.filter(({ path }) => path.startsWith('model'));
  if (!has('config.json') || !has('tokenizer.json') || weights.length === 0) return undefined;
  const count = Number(/-of-(\d{5})\.safetensors$/.exec(named[0]?.path ?? '')?.[1] ?? 0);
  if (count > 0 && named.length !== count) return undefined;
  return [...files.filter(({ path }) => BESIDE.test(path)), ...(named.length > 0 ? named : weights)];
}

/**
 * Chooses the files of a model.
 *
 * @param wanted a path, or a quantisation as Q4_K_M; undefined for the best that fits: GGUF before
 * safetensors, quantised weights before floats
 * @param memory most bytes of weights in memory
 * @throws Error when there is no such file, or none that the runtime reads.
 */
export function chooseModel<File extends ModelFile>(
  files: readonly File[],
  repository: string,
  wanted: string | undefined,
  memory: number,
): ChosenModel<File> {
  const all = ggufOf(files);
  const chosen = ({ files: parts, open, kind, size }: Gguf<File>): ChosenModel<File> => {
    const bytes = Math.round(size * (quantisations[kind] ?? 1));
    return { files: parts, open, bytes, fits: bytes <= memory };
  };
  if (wanted !== undefined) {
    const named = all.filter(({ files: parts }) => parts.some(({ path }) => path === wanted));
    const found = named.length > 0 ? named : all.filter(({ kind }) => kind === wanted.toUpperCase());
    if (found[0]) return chosen(only(found, repository));
    const single = files.find(({ path }) => path === wanted && path.endsWith('.safetensors'));
    if (single) return { files: [single], open: single.path, bytes: single.size, fits: single.size <= memory };
    throw new Error(`${repository} has no "${wanted}" that is whole${listed(all)}`);
  }
  // Files that name no quantisation come behind those that do.
  const rank = ({ kind }: Gguf<File>) => (kind === '' ? order.length : order.indexOf(kind));
  const readable = all.filter((one) => one.kind === '' || rank(one) >= 0).toSorted((a, b) => rank(a) - rank(b));
  const folder = folderOf(files);
  const candidates = [
    ...readable.filter(({ kind }) => !FLOATS.has(kind)).map(chosen),
    ...readable.filter(({ kind }) => FLOATS.has(kind)).map(chosen),
    ...(folder ? [chosenFolder(folder, memory)] : []),
  ];
  const smallest = candidates.toSorted((a, b) => a.bytes - b.bytes)[0];
  const best = candidates.find(({ fits }) => fits) ?? smallest;
  if (!best)
    throw new Error(
      `${repository} has no model that Gossamer reads: no .gguf in ${order.join(', ')}, no config.json with tokenizer.json and safetensors${listed(all)}`,
    );
  const { open } = best;
  if (open !== undefined)
    only(
      all.filter(({ kind }) => kind === quantisationOf(open)),
      repository,
    );
  return best;
}

/** The only one. @throws Error when there are several models of one quantisation. */
function only<File extends ModelFile>(found: readonly Gguf<File>[], repository: string): Gguf<File> {
  if (found.length > 1)
    throw new Error(
      `${repository} has several models of that kind: ${found.map(({ open }) => open).join(', ')}; name one, as hf:${repository}:${found[0]?.open}`,
    );
  return found[0] as Gguf<File>;
}

function chosenFolder<File extends ModelFile>(files: readonly File[], memory: number): ChosenModel<File> {
  const bytes = SAFETENSORS * sizeOf(files.filter(({ path }) => path.endsWith('.safetensors')));
  return { files, open: undefined, bytes, fits: bytes <= memory };
}

const listed = (all: readonly Gguf<ModelFile>[]) =>
  all.length === 0 ? '' : `; it has ${all.map(({ open }) => open).join(', ')}`;
