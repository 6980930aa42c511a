// `gossamer peer start` and `gossamer peer search`: G-Rank among devices, over libp2p.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { withLock } from '../data/hub/lock.js';
import { csvField } from '../data/index.js';
import { readBytes } from '../data/node.js';
import { EntryIntake, GRankPeer, type IntakeReport, PeerService, type SimilarityForm } from '../embedding/index.js';
import { ClickLogFile, type Libp2pIdentity, Libp2pTransport, libp2pIdentity, PeerServer } from '../embedding/node.js';
import { Random } from '../tensor/index.js';
import { choice, list, number } from './arguments.js';
import { LOOPBACK, listen, nextSignal, urlOf } from './listening.js';
import { writeNote, writeOutput } from './output.js';
import { loadLibrary } from './rank-items.js';
import { type TableFlags, withTableOptions } from './tables.js';

const startExamples = `
Examples
  gossamer peer start items.csv                                             a search page on http://127.0.0.1:8095
  gossamer peer start items.csv --listen /ip4/0.0.0.0/tcp/4001              others may ask for clicks
  gossamer peer start items.csv --listen /ip4/0.0.0.0/tcp/4001 --peer /ip4/192.168.1.5/tcp/4001
  curl 'http://127.0.0.1:8095/search?q=ambient&top=5'
  curl http://127.0.0.1:8095/click -H 'Content-Type: application/json' -d '{"query":"ambient","item":"17"}'

Items are a table with id, title, and creator and tags where there are any. Items never leave this machine; a click does, with its query and the title and tags of its item, signed by this peer's key, and whoever hears of it passes it on. Each search asks one known peer for news; a peer that asks is known from then on. Key and clicks are kept in --state: the same command goes on with them. Only this machine reaches the search page unless --host says otherwise. Gossip needs the packages of libp2p; the message of an error lists them.`;

const searchExamples = `
Examples
  gossamer peer search ambient                          asks the peer of gossamer peer start
  gossamer peer search ambient --click 17               and says which result was the right one
  gossamer peer search "slow drone" --at http://127.0.0.1:8096 --top 3 --json

Standard output gets rank,item,score,matches,title.`;

const DEFAULT_PORT = 8095;

export function peerCommand(): Command {
  const start = withTableOptions(new Command('start'))
    .description('rank items by the clicks of peers, and share one’s own')
    .argument('<items>', 'a table of items: .csv, .tsv, .parquet and others, also .gz')
    .option('--listen <address>', 'libp2p address for other peers (repeatable)', repeated, [])
    .option('--peer <address>', 'a peer to ask, as /ip4/192.168.1.5/tcp/4001 (repeatable)', repeated, [])
    .option('--state <folder>', 'key and clicks of this peer', 'peer')
    .option('--host <address>', 'address of the search page', '127.0.0.1')
    .option('--port <n>', 'port of the search page; 0 takes a free one', number(0), DEFAULT_PORT)
    .option('--every <s>', 'seconds between pulls while nobody searches; 0 for none', number(0, false), 60)
    .option('--isolation <f>', 'F: what a click counts that no similarity supports', number(0, false), 1)
    .addOption(
      new Option('--similarity <form>', 'of peers: (κₜ + κₘ²)/κᵤ, or (κₘ + κₜ²)/κᵤ')
        .argParser(choice('paper', 'notebook'))
        .default('paper'),
    )
    .option(
      '--noise <p>',
      'probability that two results change places, so that others get clicks',
      number(0, false),
      0.5,
    )
    .option('--per-day <n>', 'clicks of one peer that are taken in a day', number(1), 1000)
    .addOption(
      new Option('--api-key <key>', 'bearer token that requests over HTTP must carry').env('GOSSAMER_PEER_KEY'),
    )
    .option('--allowed-hosts <names>', 'names, with commas, under which clients reach the page', list, [])
    .option('--quiet', 'no line for each request', false)
    .addHelpText('after', startExamples)
    .action(startPeer);
  const search = new Command('search')
    .description('ask a running peer')
    .argument('<query>', 'words')
    .option('--at <url>', 'address of its search page', `http://127.0.0.1:${DEFAULT_PORT}`)
    .option('--top <k>', 'results', number(1), 10)
    .option('--click <item>', 'identifier of the result that answers the query')
    .addOption(new Option('--api-key <key>', 'bearer token of the peer').env('GOSSAMER_PEER_KEY'))
    .option('--json', 'JSON in place of a table', false)
    .option('-o, --out <file>', 'file; standard output when left out')
    .addHelpText('after', searchExamples)
    .action(searchPeer);
  return new Command('peer')
    .description('search items with others, without a server: start, search')
    .addCommand(start)
    .addCommand(search);
}

const repeated = (one: string, all: string[]) => [...all, one];

interface StartFlags extends TableFlags {
  readonly listen: readonly string[];
  readonly peer: readonly string[];
  readonly state: string;
  readonly host: string;
  readonly port: number;
  readonly every: number;
  readonly isolation: number;
  readonly similarity: SimilarityForm;
  readonly noise: number;
  readonly perDay: number;
  readonly apiKey?: string;
  readonly allowedHosts: readonly string[];
  readonly quiet: boolean;
}

async function startPeer(path: string, flags: StartFlags): Promise<void> {
  const library = await loadLibrary(path, flags);
  const inUse = () => {
    throw new Error(`another peer works with "${flags.state}"; give this one another --state`);
  };
  await withLock(join(flags.state, 'lock'), () => servePeer(library, flags), { onWait: inUse });
}

async function servePeer(library: GRankPeer['library'], flags: StartFlags): Promise<void> {
  const { isolation, similarity, noise, perDay, apiKey, state } = flags;
  const identity = await identityIn(join(state, 'peer.key'));
  const file = ClickLogFile.open(join(state, 'clicks.log'), identity.id);
  if (file.torn > 0) writeNote(`the last line of "${state}/clicks.log" was torn and is cut off`);
  const random = new Random(Array.from(crypto.getRandomValues(new Uint32Array(2))) as [number, number]);
  const options = { isolation, similarity, noise, learnAuthors: false, log: file.log };
  const peer = new GRankPeer(identity.id, library, random, options);
  const keep = file.append.bind(file);
  const intake = new EntryIntake(peer, identity.verify, { perDay, onAccept: keep });
  const transport = await Libp2pTransport.start(identity, intake, {
    ...(flags.listen.length > 0 && { listen: flags.listen }),
    onRefused: (from, report) => noteRefused(from, report),
  });
  const service = new PeerService({ peer, signer: identity, keep, transport });
  const http = new PeerServer(service, {
    addresses: () => transport.addresses,
    allowedHosts: [...flags.allowedHosts, flags.host],
    ...(apiKey !== undefined && { apiKey }),
    ...(!flags.quiet && { onRequest: (line: string) => process.stderr.write(`${line}\n`) }),
  });
  try {
    const lost = await meetPeers(transport, flags.peer);
    const port = await listen(http.create(), flags);
    if (!LOOPBACK.includes(flags.host) && apiKey === undefined)
      process.stderr.write(`warning: everyone who reaches ${flags.host}:${port} can click; set GOSSAMER_PEER_KEY\n`);
    process.stdout.write(
      `${library.size} items, ${peer.log.size} clicks on ${urlOf(flags.host, port)} (Ctrl-C ends)\n${transport.addresses
        .map((address) => `peer ${address}\n`)
        .join('')}`,
    );
    const timer =
      flags.every > 0 ? setInterval(() => void keepUp(service, transport, lost), 1000 * flags.every) : undefined;
    await nextSignal();
    clearInterval(timer);
  } finally {
    await http.close();
    await transport.stop();
    await service.settled();
    file.close();
  }
}

/** The key in a file, or a new one, which only its owner can read. */
async function identityIn(path: string): Promise<Libp2pIdentity> {
  if (existsSync(path)) {
    try {
      return await libp2pIdentity(readBytes(path));
    } catch (error) {
      const { message } = error as Error;
      throw message.includes('npm install') ? error : new Error(`"${path}" holds no key of a peer: ${message}`);
    }
  }
  const identity = await libp2pIdentity();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, identity.key, { mode: 0o600, flag: 'wx' });
  return identity;
}

/** Connects to peers. @returns the addresses that do not answer yet */
async function meetPeers(transport: Libp2pTransport, addresses: readonly string[]): Promise<Set<string>> {
  const lost = new Set<string>();
  for (const address of addresses) {
    transport.requireAddress(address);
    await transport.connect(address).catch((error: Error) => {
      lost.add(address);
      writeNote(`${error.message}; it is tried again`);
    });
  }
  return lost;
}

/** Tries peers that did not answer, and pulls. */
async function keepUp(service: PeerService, transport: Libp2pTransport, lost: Set<string>): Promise<void> {
  for (const address of lost)
    await transport.connect(address).then(
      () => lost.delete(address),
      () => undefined,
    );
  await service.gossip();
}

function noteRefused(from: string, { excess, forged, malformed }: IntakeReport): void {
  const parts = Object.entries({ excess, forged, malformed }).filter(([, count]) => count > 0);
  if (parts.length > 0) writeNote(`of ${from}: ${parts.map(([name, count]) => `${count} ${name}`).join(', ')}`);
}

interface SearchFlags {
  readonly at: string;
  readonly top: number;
  readonly click?: string;
  readonly apiKey?: string;
  readonly json: boolean;
  readonly out?: string;
}

interface Found {
  readonly term: string;
  readonly results: readonly {
    readonly id: string;
    readonly title: string;
    readonly score: number;
    readonly matches: boolean;
  }[];
}

async function searchPeer(query: string, flags: SearchFlags): Promise<void> {
  const answer = (await ask(flags, `/search?${new URLSearchParams({ q: query, top: String(flags.top) })}`)) as Found;
  if (flags.click !== undefined) await ask(flags, '/click', { query, item: flags.click });
  const rows = answer.results.map(({ id, title, score, matches }, at) =>
    [at + 1, csvField(id), Number(score.toPrecision(12)), Number(matches), csvField(title)].join(','),
  );
  const table = ['rank,item,score,matches,title', ...rows].map((line) => `${line}\n`).join('');
  writeOutput([flags.json ? `${JSON.stringify(answer, null, 2)}\n` : table], flags.out);
}

async function ask({ at, apiKey }: SearchFlags, path: string, body?: object): Promise<object> {
  let response: Response;
  try {
    response = await fetch(new URL(path, at), {
      signal: AbortSignal.timeout(30_000),
      headers: {
        ...(apiKey !== undefined && { Authorization: `Bearer ${apiKey}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error(`no peer answers at ${at}; start one with gossamer peer start, or name it with --at`);
  }
  const answer = (await response.json()) as { readonly error?: { readonly message: string } };
  if (!response.ok) throw new Error(`${at}: ${answer.error?.message ?? `status ${response.status}`}`);
  return answer;
}
