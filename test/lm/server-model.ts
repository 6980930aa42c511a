// A byte-level tokenizer with ChatML's control tokens, a decoder of random weights for it, and
// servers of both: what the tests of the server share.

import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import { byteCharacters, decoderConfig, LanguageModel, namedWeights, tokenizerOfJson } from '../../src/lm/index.js';
import { LanguageServer, type ServerOptions } from '../../src/lm/node.js';
import { Decoder } from '../../src/models/index.js';
import { stateOf } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

/** Byte b has the token b; the control tokens are 256 and 257. */
export function byteTokenizer(template?: string) {
  const control = ['<|im_start|>', '<|im_end|>'].map((content, i) => ({
    ...{ id: 256 + i, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const step = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };
  const vocab = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]));
  return tokenizerOfJson(
    {
      ...{ version: '1.0', added_tokens: control, normalizer: null, post_processor: null },
      ...{ pre_tokenizer: step, decoder: step },
      model: { type: 'BPE', vocab, merges: [], byte_fallback: false, ignore_merges: false },
    },
    { eos_token: '<|im_end|>', ...(template !== undefined && { chat_template: template }) },
  );
}

const size = { vocabulary: 258, features: 32, layers: 2, heads: 2, hidden: 64 };

/** Two layers of random weights. */
export function byteModel(context = 512): LanguageModel {
  return new LanguageModel(
    decoderConfig({ ...size, context }),
    namedWeights(stateOf(new Decoder(size, new Random(3)))),
  );
}

/** A running server. */
export interface Running {
  readonly language: LanguageServer;
  readonly server: Server;
  readonly port: number;
  readonly address: string;
  /** Posts JSON and gives status and parsed answer. */
  post(path: string, body: object): Promise<{ status: number; json: ReturnType<typeof JSON.parse>; headers: Headers }>;
}

/** Starts a server that ends with the tests of its file. */
export async function start(
  options: Partial<ServerOptions> = {},
  bundle = { model: byteModel(), tokenizer: byteTokenizer() },
): Promise<Running> {
  const language = new LanguageServer(bundle, { name: 'tiny', ...options });
  const server = language.create();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  const post: Running['post'] = async (path, body) => {
    const response = await fetch(`${address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...(path.startsWith('/v1') && { model: 'tiny' }), ...body }),
    });
    return { status: response.status, json: await response.json(), headers: response.headers };
  };
  return { language, server, port, address, post };
}

/** A request with exactly these headers, which `fetch` does not allow. */
export function raw(
  port: number,
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method, headers, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject).end(body);
  });
}

/** A connection that sends bytes; `received` resolves with everything that came when it closes. */
export function connection(port: number, sent: string | Uint8Array): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  socket.on('error', () => {});
  const received = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  socket.write(sent);
  return { socket, received };
}

/** The objects of server-sent events. */
export function eventsOf(text: string): ReturnType<typeof JSON.parse>[] {
  return text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));
}
