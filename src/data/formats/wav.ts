// The WAV format: RIFF chunks, one of which says how samples are stored and one of which holds
// them. Read as PCM of 8, 16, 24 or 32 bits and as floating-point numbers of 32 or 64 bits, of any
// number of channels.

/** Sound of one or more channels, sampled at the same times. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of each channel, all as many; full scale is from −1 to 1. */
  readonly channels: readonly Float32Array[];
}

/** How samples are stored. */
interface Format {
  readonly kind: 'integer' | 'float';
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** What follows the format's number in the extensible form. */
const SUBFORMAT = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/** Names of what is not read. */
const others: Readonly<Record<number, string>> = { 2: 'ADPCM', 6: 'A-law', 7: 'µ-law', 17: 'IMA ADPCM', 85: 'MP3' };

const MOST_CHANNELS = 256;
const HIGHEST_RATE = 1_000_000;

type Fail = (reason: string) => never;

/**
 * Reads a WAV file.
 *
 * @param name of the file, in error messages
 * @param maxSamples most samples that the file may hold, all channels together
 * @throws Error when the file is not WAV, is cut short, compressed, too large, or holds numbers
 * that are none
 */
export function readWav(bytes: Uint8Array, name = '.wav', maxSamples = 2 ** 27): Sound {
  const fail: Fail = (reason) => {
    throw new Error(`readWav: "${name}" ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE')
    fail(tag(0) === 'RF64' ? 'is RF64, the form for more than 4 GB; save it as WAV' : 'is no WAV file');
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, size, start] = [tag(at), view.getUint32(at + 4, true), at + 8];
    if (start + size > bytes.length)
      fail(`is cut short: its chunk "${kind}" ends at byte ${start + size}, the file at ${bytes.length}`);
    if (kind === 'fmt ') {
      if (format) fail('says twice how samples are stored');
      format = formatOf(new DataView(view.buffer, view.byteOffset + start, size), fail);
    } else if (kind === 'data') {
      if (!format) return fail('holds samples before it says how they are stored');
      return samplesOf(new DataView(view.buffer, view.byteOffset + start, size), format, maxSamples, fail);
    }
    // Chunks begin at even places.
    at = start + size + (size % 2);
  }
  return fail('holds no samples');
}

function formatOf(chunk: DataView, fail: Fail): Format {
  if (chunk.byteLength < 16) fail('is cut short where it says how samples are stored');
  let code = chunk.getUint16(0, true);
  const [channels, rate] = [chunk.getUint16(2, true), chunk.getUint32(4, true)];
  const [block, bits] = [chunk.getUint16(12, true), chunk.getUint16(14, true)];
  if (code === EXTENSIBLE) {
    const known = chunk.byteLength >= 40 && SUBFORMAT.every((byte, i) => chunk.getUint8(26 + i) === byte);
    if (!known) fail('stores samples in a form that is not known');
    const valid = chunk.getUint16(18, true);
    if (valid !== 0 && valid !== bits) fail(`uses ${valid} of ${bits} bits a sample; save it with all of them`);
    code = chunk.getUint16(24, true);
  }
  if (code !== PCM && code !== FLOAT)
    fail(`stores samples as ${others[code] ?? `format ${code}`}; save it as PCM of 8, 16, 24 or 32 bits or as floats`);
  const kind = code === PCM ? 'integer' : 'float';
  if (!(kind === 'integer' ? [8, 16, 24, 32] : [32, 64]).includes(bits)) fail(`has ${kind}s of ${bits} bits`);
  if (channels < 1 || channels > MOST_CHANNELS) fail(`has ${channels} channels; read are 1 to ${MOST_CHANNELS}`);
  if (rate < 1 || rate > HIGHEST_RATE) fail(`has ${rate} samples a second; read are 1 to ${HIGHEST_RATE}`);
  if (block !== (channels * bits) / 8) fail(`has ${block} bytes for ${channels} samples of ${bits} bits`);
  return { kind, channels, rate, bits };
}

function samplesOf(chunk: DataView, { kind, channels, rate, bits }: Format, maxSamples: number, fail: Fail): Sound {
  const width = bits / 8;
  const frames = chunk.byteLength / (width * channels);
  if (!Number.isInteger(frames)) fail(`is cut short: ${chunk.byteLength} bytes are no whole number of samples`);
  if (frames === 0) fail('holds no samples');
  if (frames * channels > maxSamples) fail(`has ${frames * channels} samples, more than ${maxSamples}`);
  const read = reader(chunk, kind, bits);
  const own = Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: frames }, (_, at) => read(width * (at * channels + c))),
  );
  if (kind === 'float' && own.some((values) => values.some((value) => !Number.isFinite(value))))
    fail('holds samples that are no numbers');
  return { rate, channels: own };
}

/** Reads the sample at a byte. */
function reader(chunk: DataView, kind: Format['kind'], bits: number): (at: number) => number {
  if (kind === 'float') return bits === 32 ? (at) => chunk.getFloat32(at, true) : (at) => chunk.getFloat64(at, true);
  if (bits === 8) return (at) => (chunk.getUint8(at) - 128) / 128;
  if (bits === 16) return (at) => chunk.getInt16(at, true) / 2 ** 15;
  if (bits === 24) return (at) => ((chunk.getInt8(at + 2) << 16) | chunk.getUint16(at, true)) / 2 ** 23;
  return (at) => chunk.getInt32(at, true) / 2 ** 31;
}

/**
 * A sound as a WAV file of 16 bits a sample; values beyond full scale are cut off.
 *
 * @throws Error for channels of different lengths, or more than 65,535 of them
 */
export function writeWav({ rate, channels }: Sound): Uint8Array {
  const [first] = channels;
  if (!first || channels.length > 0xffff || channels.some(({ length }) => length !== first.length))
    throw new Error(
      `writeWav: expected channels of one length, got ${channels.map(({ length }) => length).join(', ')}`,
    );
  const block = 2 * channels.length;
  const size = block * first.length;
  const bytes = new Uint8Array(44 + size);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) =>
    bytes.set(
      Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
      at,
    );
  put(0, 'RIFF');
  view.setUint32(4, 36 + size, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  [PCM, channels.length].forEach((value, i) => {
    view.setUint16(20 + 2 * i, value, true);
  });
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, size, true);
  channels.forEach((values, c) => {
    values.forEach((value, at) => {
      const scaled = Math.round(value * 2 ** 15);
      view.setInt16(44 + at * block + 2 * c, Math.max(-(2 ** 15), Math.min(2 ** 15 - 1, scaled)), true);
    });
  });
  return bytes;
}
