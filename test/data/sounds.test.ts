import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ambisonicClasses,
  ambisonicSounds,
  frameCount,
  readWav,
  resampled,
  type Sound,
  secondsOf,
  spectrogram,
  writeWav,
} from '../../src/data/index.js';
import { isSoundFolder, loadSounds } from '../../src/data/node.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

/** A WAV file put together byte by byte. */
function wav(
  bits: number,
  channels: number,
  samples: readonly number[],
  { code = 1, rate = 8000, extensible = false, before = [] as readonly number[] } = {},
): Uint8Array {
  const width = bits / 8;
  const size = samples.length * width;
  const head = extensible ? 40 : 16;
  const bytes = new Uint8Array(12 + before.length + 8 + head + 8 + size + (size % 2));
  const view = new DataView(bytes.buffer);
  const text = (at: number, letters: string) =>
    bytes.set(
      [...letters].map((letter) => letter.charCodeAt(0)),
      at,
    );
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVE');
  bytes.set(before, 12);
  let at = 12 + before.length;
  text(at, 'fmt ');
  view.setUint32(at + 4, head, true);
  view.setUint16(at + 8, extensible ? 0xfffe : code, true);
  view.setUint16(at + 10, channels, true);
  view.setUint32(at + 12, rate, true);
  view.setUint32(at + 16, rate * channels * width, true);
  view.setUint16(at + 20, channels * width, true);
  view.setUint16(at + 22, bits, true);
  if (extensible) {
    view.setUint16(at + 24, 22, true);
    view.setUint16(at + 26, bits, true);
    view.setUint16(at + 32, code, true);
    bytes.set([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71], at + 34);
  }
  at += 8 + head;
  text(at, 'data');
  view.setUint32(at + 4, size, true);
  samples.forEach((value, i) => {
    const place = at + 8 + i * width;
    if (code === 3) bits === 32 ? view.setFloat32(place, value, true) : view.setFloat64(place, value, true);
    else for (let b = 0; b < width; b++) bytes[place + b] = (value >> (8 * b)) & 255;
  });
  return bytes;
}

describe('WAV', () => {
  test.each([
    ['8 bits', wav(8, 1, [0, 128, 255]), [[-1, 0, 127 / 128]]],
    [
      '16 bits, two channels',
      wav(16, 2, [-32768, 1, 16384, -2]),
      [
        [-1, 0.5],
        [1 / 32768, -2 / 32768],
      ],
    ],
    ['24 bits', wav(24, 1, [-8388608, 4194304, -1]), [[-1, 0.5, -1 / 8388608]]],
    ['32 bits', wav(32, 1, [-2147483648, 1073741824]), [[-1, 0.5]]],
    ['floats of 32 bits', wav(32, 1, [0.25, -2], { code: 3 }), [[0.25, -2]]],
    ['floats of 64 bits', wav(64, 1, [0.25, -2], { code: 3 }), [[0.25, -2]]],
    ['the extensible form', wav(16, 1, [16384], { extensible: true }), [[0.5]]],
    [
      'other chunks, of odd length',
      wav(16, 1, [16384], { before: [0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0] }),
      [[0.5]],
    ],
  ])('%s', (_, bytes, expected) => {
    const { rate, channels } = readWav(bytes);
    expect(rate).toBe(8000);
    expect(channels.map((values) => [...values])).toEqual(expected.map((values) => values.map(Math.fround)));
  });

  test('what is written reads back, cut off at full scale', () => {
    const sound: Sound = {
      rate: 44_100,
      channels: [uniform(1, 50), Float32Array.from({ length: 50 }, (_, i) => i / 20 - 1)],
    };
    const again = readWav(writeWav(sound));
    expect(again.rate).toBe(44_100);
    again.channels.forEach((values, c) => {
      values.forEach((value, at) => {
        const expected = Math.max(-1, Math.min(32_767 / 32_768, sound.channels[c]?.[at] as number));
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(0.51 / 32_768);
      });
    });
    expect(() => writeWav({ rate: 1, channels: [new Float32Array(2), new Float32Array(3)] })).toThrow(
      'channels of one length',
    );
  });

  const good = wav(16, 2, [1, 2, 3, 4]);
  const changed = (at: number, ...bytes: number[]) => {
    const own = good.slice();
    own.set(bytes, at);
    return own;
  };
  test.each([
    ['nothing', new Uint8Array(0), 'is no WAV file'],
    ['other bytes', new Uint8Array(64), 'is no WAV file'],
    ['RF64', changed(0, 0x52, 0x46, 0x36, 0x34), 'is RF64'],
    ['a cut', good.subarray(0, good.length - 1), 'is cut short: its chunk "data" ends at byte 52, the file at 51'],
    ['a length of 4 GB', changed(40, 255, 255, 255, 255), 'is cut short'],
    ['a short format', changed(16, 8, 0, 0, 0), 'is cut short'],
    ['MP3', changed(20, 85, 0), 'stores samples as MP3'],
    ['no channels', changed(22, 0, 0), 'has 0 channels'],
    ['many channels', changed(22, 255, 255), 'has 65535 channels'],
    ['no rate', changed(24, 0, 0, 0, 0), 'has 0 samples a second'],
    ['a block of other bytes', changed(32, 6, 0), 'has 6 bytes for 2 samples of 16 bits'],
    ['12 bits', changed(34, 12, 0), 'has integers of 12 bits'],
    ['half a sample', changed(40, 6, 0, 0, 0), 'are no whole number of samples'],
    ['no samples', changed(40, 0, 0, 0, 0), 'holds no samples'],
    ['no data', good.subarray(0, 36), 'holds no samples'],
    ['infinities', wav(32, 1, [Number.POSITIVE_INFINITY], { code: 3 }), 'holds samples that are no numbers'],
  ])('%s is refused', (_, bytes, reason) => {
    expect(() => readWav(bytes, 'a.wav')).toThrow(new RegExp(`readWav: "a\\.wav" .*${reason}`));
  });

  test('more samples than asked for are refused', () => {
    expect(() => readWav(good, 'a.wav', 3)).toThrow('has 4 samples, more than 3');
  });
});

test('a tone is a tone at another rate, and what is too high for it is gone', () => {
  const tone = (rate: number, hertz: number) =>
    Float32Array.from({ length: rate / 4 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
  for (const [from, to] of [
    [8000, 11_025],
    [22_050, 8000],
  ] as const) {
    const { rate, channels } = resampled({ rate: from, channels: [tone(from, 440), tone(from, 440)] }, to);
    expect([rate, channels.length]).toEqual([to, 2]);
    const expected = tone(to, 440);
    expect(Math.abs((channels[0]?.length ?? 0) - expected.length)).toBeLessThanOrEqual(1);
    for (let i = 100; i < expected.length - 100; i++)
      expect(Math.abs((channels[0]?.[i] as number) - (expected[i] as number))).toBeLessThan(0.01);
  }
  const high = resampled({ rate: 22_050, channels: [tone(22_050, 7000)] }, 8000).channels[0] as Float32Array;
  expect(Math.max(...high.slice(100, -100).map(Math.abs))).toBeLessThan(0.02);
  expect(() => resampled({ rate: 1, channels: [] }, 0)).toThrow('must be positive');
});

test('spectrograms by the sum of the transform', () => {
  const sound = { rate: 8000, channels: [uniform(1, 40), uniform(2, 40)] };
  const options = { window: 16, hop: 8, bins: 4 };
  expect(frameCount(40, options)).toBe(4);
  const values = spectrogram(sound, options);
  const expected = sound.channels.flatMap((samples) =>
    Array.from({ length: 4 }, (_, bin) => bin).flatMap((bin) =>
      Array.from({ length: 4 }, (_, frame) => {
        const magnitudes = [2 * bin, 2 * bin + 1].map((k) => {
          let [re, im] = [0, 0];
          for (let i = 0; i < 16; i++) {
            const value = (samples[frame * 8 + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 16));
            re += value * Math.cos((2 * Math.PI * k * i) / 16);
            im -= value * Math.sin((2 * Math.PI * k * i) / 16);
          }
          return Math.hypot(re, im);
        }) as [number, number];
        return Math.log(1e-3 + (magnitudes[0] + magnitudes[1]) / 2);
      }),
    ),
  );
  expectClose(values, expected, 1e-4);
  expect(() => spectrogram(sound, { window: 16, bins: 3 })).toThrow(
    '3 bins must divide half of the window, 16 samples',
  );
  expect(() => spectrogram(sound, { window: 64, bins: 4 })).toThrow('40 samples are fewer than a frame of 64');
});

test('generated sounds: a direction reaches the channels by its gains, and noise is below', () => {
  const { sounds, classes, whole } = ambisonicSounds(24, new Random(1));
  expect([classes, whole]).toEqual([ambisonicClasses, false]);
  const labels = new Set(sounds.flatMap(({ events }) => events.map(({ label }) => label)));
  expect(labels.size).toBeGreaterThan(5);
  for (const { sound, events } of sounds) {
    expect(secondsOf(sound)).toBe(2);
    expect(sound.channels).toHaveLength(4);
    expect(events.length).toBeGreaterThanOrEqual(1);
    expect(events.length).toBeLessThanOrEqual(3);
    for (const { start, end } of events) {
      expect(end - start).toBeGreaterThan(0.19);
      expect(end - start).toBeLessThan(0.81);
      expect(end).toBeLessThanOrEqual(2);
    }
    if (events.length !== 1) continue;
    const [{ start, end } = { start: 0, end: 0 }] = events;
    const power = (c: number, from: number, to: number) =>
      (sound.channels[c] as Float32Array).slice(8000 * from, 8000 * to).reduce((sum, v) => sum + v * v, 0) /
      (8000 * (to - from));
    const [w, x, y, z] = [0, 1, 2, 3].map((c) => power(c, start, end)) as [number, number, number, number];
    // W² is half of the power of all directions.
    expect(Math.abs((x + y + z) / (2 * w) - 1)).toBeLessThan(0.35);
    if (start > 0.3) expect(power(0, 0, start) / w).toBeLessThan(0.5);
  }
  expect(ambisonicSounds(2, new Random(1)).sounds[1]?.sound.channels[2]).toEqual(sounds[1]?.sound.channels[2]);
});

describe('folders of sounds', () => {
  const root = mkdtempSync(join(tmpdir(), 'gossamer-sounds-'));
  const put = (name: string, contents: string | Uint8Array) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), contents);
  };
  const sound = (rate = 8000, channels = 2, seconds = 0.5): Uint8Array =>
    writeWav({ rate, channels: Array.from({ length: channels }, (_, c) => uniform(c, rate * seconds)) });

  test('a folder for each class, of one rate', () => {
    put('calls/owl/1.wav', sound());
    put('calls/owl/deep/2.WAV', sound(4000));
    put('calls/crow/1.wav', sound());
    put('calls/empty/readme.txt', 'none');
    const notes: string[] = [];
    const set = loadSounds(join(root, 'calls'), { onNote: (text) => notes.push(text) });
    expect([set.name, set.whole, set.classes]).toEqual(['calls', true, ['crow', 'owl']]);
    expect(set.sounds.map(({ name, sound: own, events }) => [name, own.rate, events])).toEqual([
      ['crow/1.wav', 8000, [{ label: 0, start: 0, end: 0.5 }]],
      ['owl/1.wav', 8000, [{ label: 1, start: 0, end: 0.5 }]],
      ['owl/deep/2.WAV', 8000, [{ label: 1, start: 0, end: 0.5 }]],
    ]);
    expect(notes).toEqual(['1 of 3 sounds are resampled to 8000 Hz, the rate of most']);
    expect(isSoundFolder(join(root, 'calls'))).toBe(true);
    expect(isSoundFolder(join(root, 'calls/empty'))).toBe(false);
  });

  test('a table of events', () => {
    put('street/a.wav', sound());
    put('street/more/b.wav', sound());
    put(
      'street/events.csv',
      'event,file,start,end\nhorn,a.wav,0.1,0.2\nbell, a.wav,0,0.5\nhorn,more/b.wav,0.25,0.5\n'.replace(', a', ',a'),
    );
    const set = loadSounds(join(root, 'street'));
    expect([set.whole, set.classes]).toEqual([false, ['bell', 'horn']]);
    expect(set.sounds.map(({ name, events }) => [name, events])).toEqual([
      [
        'a.wav',
        [
          { label: 1, start: 0.1, end: 0.2 },
          { label: 0, start: 0, end: 0.5 },
        ],
      ],
      ['more/b.wav', [{ label: 1, start: 0.25, end: 0.5 }]],
    ]);
  });

  test.each([
    ['no column', 'file,event,start\n', 'the header must name file, event, start and end'],
    ['no file', 'file,event,start,end\nc.wav,x,0,1\n', 'line 2: there is no file "c.wav"'],
    ['a file elsewhere', 'file,event,start,end\n../../x.wav,x,0,1\n', 'line 2: "../../x.wav" is outside of the folder'],
    ['no time', 'file,event,start,end\na.wav,x,soon,1\n', 'line 2: "soon" is no time in seconds'],
    [
      'an event that ends before it starts',
      'file,event,start,end\na.wav,x,0.4,0.3\n',
      'ends at 0.3 s, not after its start at 0.4 s',
    ],
    ['no name', 'file,event,start,end\na.wav,,0,0.3\n', 'line 2: the event has no name'],
    [
      'an event beyond the file',
      'file,event,start,end\na.wav,x,0,0.7\n',
      'an event of "a.wav" ends at 0.7 s, the file at 0.500 s',
    ],
    ['no event', 'file,event,start,end\n', 'names no event'],
  ])('%s is refused', (name, table, reason) => {
    put(`${name}/a.wav`, sound());
    put(`${name}/events.csv`, table);
    expect(() => loadSounds(join(root, name))).toThrow(reason);
  });

  test('one class, other channels and broken files are refused', () => {
    put('single/a/1.wav', sound());
    expect(() => loadSounds(join(root, 'single'))).toThrow('at least two classes');
    put('mixed/a/1.wav', sound());
    put('mixed/b/1.wav', sound(8000, 1));
    expect(() => loadSounds(join(root, 'mixed'))).toThrow(/b\/1\.wav" has 1 channels, ".*a\/1\.wav" 2/);
    put('broken/a/1.wav', sound());
    put('broken/b/1.wav', 'RIFF');
    expect(() => loadSounds(join(root, 'broken'))).toThrow('is no WAV file');
    expect(() => loadSounds(join(root, 'nowhere'))).toThrow('is no folder');
  });
});
