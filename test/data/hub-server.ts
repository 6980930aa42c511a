// A server that answers as huggingface.co does: listings, small files, and redirects of large ones to
// a content network, which is a second server of another origin and of its own entity tags.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** What the next downloads meet, one after another. */
export type Trouble =
  /** The connection breaks after so many bytes of the body, which may be all the file. */
  | { readonly breakAfter: number; readonly whole?: boolean }
  /** This status, with headers. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Other bytes of the same length. */
  | 'other bytes'
  /** Ranges are not known. */
  | 'no ranges'
  /** The file got another entity tag. */
  | 'new etag'
  /** Headers, then nothing. */
  | 'silence';

export interface HubRequest {
  readonly at: 'hub' | 'network';
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface HubServer {
  readonly endpoint: string;
  readonly requests: HubRequest[];
  /** Meets downloads of content. */
  readonly troubles: Trouble[];
  /** Meets requests to the hub itself. */
  readonly refusals: { readonly status: number; readonly headers?: Readonly<Record<string, string>> }[];
  /** A token that requests to the hub must carry. */
  token: string | undefined;
  close(): void;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
export const gitSha1 = (bytes: Uint8Array) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Files of this size and more lie in the content network. */
const LARGE = 1000;
const isLarge = (path: string, { length }: Uint8Array) => length >= LARGE && !path.endsWith('.json');

const open = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'authorization',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Serves one repository, `owner/name`, with one branch, `main`, and files by their paths. */
export async function hubServer(files: Readonly<Record<string, Uint8Array>>): Promise<HubServer> {
  const requests: HubRequest[] = [];
  const troubles: Trouble[] = [];
  const refusals: HubServer['refusals'] = [];
  let etag = 1;

  const give = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, tag: string) => {
    const trouble = troubles.shift();
    if (typeof trouble === 'object' && 'status' in trouble) {
      response.writeHead(trouble.status, { ...open, ...trouble.headers }).end('refused');
      return;
    }
    if (trouble === 'new etag') etag += 1;
    const named = trouble === 'new etag' ? `"network-${etag}"` : tag;
    const content = trouble === 'other bytes' ? bytes.map((byte) => byte ^ 1) : bytes;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const isWhole = trouble === 'no ranges' || (typeof trouble === 'object' && 'whole' in trouble);
    const condition = request.headers['if-range'];
    const isRange = first !== undefined && !isWhole && (condition === undefined || condition === named);
    const [from, to] = isRange ? [Number(first), last ? Number(last) + 1 : content.length] : [0, content.length];
    const head = { ...open, ETag: named, 'Content-Length': String(to - from) };
    if (isRange) response.writeHead(206, { ...head, 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` });
    else response.writeHead(200, head);
    const part = content.subarray(from, to);
    if (trouble === 'silence') response.flushHeaders();
    else if (typeof trouble === 'object')
      response.write(part.subarray(0, trouble.breakAfter), () => setTimeout(() => response.destroy(), 20));
    else response.end(part);
  };

  const network = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1));
    requests.push({ at: 'network', path, headers: request.headers });
    if (request.method === 'OPTIONS') response.writeHead(204, open).end();
    else give(request, response, files[path] as Uint8Array, `"network-${etag}"`);
  });
  const hub = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://hub');
    requests.push({ at: 'hub', path: url.pathname + url.search, headers: request.headers });
    if (request.method === 'OPTIONS') return void response.writeHead(204, open).end();
    const refusal = refusals.shift();
    if (refusal) return void response.writeHead(refusal.status, { ...open, ...refusal.headers }).end('{}');
    if (server.token !== undefined && request.headers.authorization !== `Bearer ${server.token}`)
      return void response.writeHead(401, { ...open, 'X-Error-Code': 'RepoNotFound' }).end('{"error":"Unauthorized"}');
    const revision = /^\/api\/models\/owner\/name\/revision\/(.+)$/.exec(url.pathname)?.[1];
    if (revision !== undefined) {
      if (revision !== 'main' && revision !== COMMIT)
        return void response.writeHead(404, { ...open, 'X-Error-Code': 'RevisionNotFound' }).end('{}');
      const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        blobId: isLarge(rfilename, bytes) ? gitSha1(new TextEncoder().encode(rfilename)) : gitSha1(bytes),
        ...(isLarge(rfilename, bytes) && { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
      }));
      return void response.writeHead(200, open).end(JSON.stringify({ id: 'owner/name', sha: COMMIT, siblings }));
    }
    const path = decodeURIComponent(new RegExp(`^/owner/name/resolve/${COMMIT}/(.+)$`).exec(url.pathname)?.[1] ?? '');
    const bytes = files[path];
    if (!bytes) return void response.writeHead(404, { ...open, 'X-Error-Code': 'EntryNotFound' }).end('{}');
    response.setHeader('X-Repo-Commit', COMMIT);
    if (!isLarge(path, bytes)) return give(request, response, bytes, `"${gitSha1(bytes)}"`);
    response
      .writeHead(302, {
        ...open,
        'X-Linked-Etag': `"${sha256(bytes)}"`,
        'X-Linked-Size': String(bytes.length),
        Location: `${addressOf(network)}/${path}`,
      })
      .end();
  });
  const addressOf = (one: typeof hub) => `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
  for (const one of [hub, network]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const server: HubServer = {
    ...{ endpoint: addressOf(hub), requests, troubles, refusals, token: undefined },
    close: () => {
      for (const one of [hub, network]) {
        one.closeAllConnections();
        one.close();
      }
    },
  };
  return server;
}
