// Gossip between devices over libp2p: TCP, the Noise handshake, Yamux streams and identify. The
// name of a peer is its PeerId, which stands for its Ed25519 key.
//
//   /gossamer/grank/pull/1.0.0   request → frames of entries → end
//   /gossamer/grank/push/1.0.0   frames of entries → end; refused unless it is asked for

import type { Libp2p } from 'libp2p';
import type { ClickEntry } from './click-log.js';
import {
  entryFrames,
  FRAME_BYTES,
  PULL_ENTRIES,
  PULL_FRAMES,
  REQUEST_BYTES,
  readEntries,
  readRequest,
  requestFrame,
} from './frames.js';
import type { GRankPeer } from './peer.js';
import type { EntryIntake, IntakeReport, Signer, Verify } from './signed-entries.js';
import type { GossipTransport } from './transport.js';

const PULL = '/gossamer/grank/pull/1.0.0';
const PUSH = '/gossamer/grank/push/1.0.0';

/** Streams that may ask at once, of all peers on one connection. */
const STREAMS = 8;
/** Peers that are remembered. */
const KNOWN = 1000;
const TIMEOUT = 10_000;

const PACKAGES = [
  'libp2p',
  '@libp2p/tcp',
  '@chainsafe/libp2p-noise',
  '@chainsafe/libp2p-yamux',
  '@libp2p/identify',
  '@libp2p/utils',
  '@libp2p/crypto',
  '@libp2p/peer-id',
  '@multiformats/multiaddr',
];

/** libp2p 3 calls `Promise.withResolvers`, which Node has from 22 on. */
function withResolvers<Value>(this: PromiseConstructor) {
  let resolve!: (value: Value | PromiseLike<Value>) => void;
  let reject!: (reason?: unknown) => void;
  const promise = new this<Value>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}

async function loadPackages() {
  if (!('withResolvers' in Promise)) Object.defineProperty(Promise, 'withResolvers', { value: withResolvers });
  try {
    const [{ createLibp2p }, { tcp }, { noise }, { yamux }, { identify }, { lpStream }, keys, ids, { multiaddr }] =
      await Promise.all([
        import('libp2p'),
        import('@libp2p/tcp'),
        import('@chainsafe/libp2p-noise'),
        import('@chainsafe/libp2p-yamux'),
        import('@libp2p/identify'),
        import('@libp2p/utils'),
        import('@libp2p/crypto/keys'),
        import('@libp2p/peer-id'),
        import('@multiformats/multiaddr'),
      ]);
    return { createLibp2p, tcp, noise, yamux, identify, lpStream, keys, ids, multiaddr };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`gossip over libp2p needs its packages: npm install --ignore-scripts ${PACKAGES.join(' ')}`);
  }
}

type Packages = Awaited<ReturnType<typeof loadPackages>>;
type Stream = Awaited<ReturnType<Libp2p['dialProtocol']>>;

/** The key of a peer of libp2p, and how the signatures of others are checked. */
export interface Libp2pIdentity extends Signer {
  /** The private key, to be kept secret: the argument of `libp2pIdentity`. */
  readonly key: Uint8Array;
  /** Checks signatures of any author. */
  readonly verify: Verify;
}

/**
 * The identity of a private key, or of a new one.
 *
 * @param key what an earlier identity has as `key`
 * @throws Error when the packages of libp2p are not installed, or the key is none
 */
export async function libp2pIdentity(key?: Uint8Array): Promise<Libp2pIdentity> {
  const { keys, ids } = await loadPackages();
  const own = key ? keys.privateKeyFromProtobuf(key) : await keys.generateKeyPair('Ed25519');
  return {
    id: ids.peerIdFromPrivateKey(own).toString(),
    key: keys.privateKeyToProtobuf(own),
    sign: async (bytes) => own.sign(bytes),
    async verify(author, bytes, signature) {
      const { publicKey } = ids.peerIdFromString(author);
      return (await publicKey?.verify(bytes, signature)) ?? false;
    },
  };
}

/** Options of `Libp2pTransport`. */
export interface Libp2pOptions {
  /** Addresses to listen on. Default: ['/ip4/127.0.0.1/tcp/0'], a free port of this machine. */
  readonly listen?: readonly string[];
  /** Milliseconds for a whole exchange. Default: 10,000. */
  readonly timeout?: number;
  /** Whether to take in what peers send unasked. Default: false. */
  readonly acceptPush?: boolean;
  /** Called with what a peer sent, unless all of it was news. */
  readonly onRefused?: (peer: string, report: IntakeReport) => void;
}

/** Gossip over libp2p. */
export class Libp2pTransport implements GossipTransport {
  readonly #packages: Packages;
  readonly #node: Libp2p;
  readonly #intake: EntryIntake;
  readonly #options: Libp2pOptions;
  /** What each peer has been pushed. */
  readonly #pushed = new Map<string, Record<string, number>>();

  private constructor(packages: Packages, node: Libp2p, intake: EntryIntake, options: Libp2pOptions) {
    this.#packages = packages;
    this.#node = node;
    this.#intake = intake;
    this.#options = options;
  }

  /**
   * Starts listening and answering.
   *
   * @param identity whose id is that of the peer of `intake`
   * @param intake takes in what others send
   * @throws Error when an address cannot be listened on, or packages are missing
   */
  static async start(
    identity: Libp2pIdentity,
    intake: EntryIntake,
    options: Libp2pOptions = {},
  ): Promise<Libp2pTransport> {
    const packages = await loadPackages();
    const { listen = ['/ip4/127.0.0.1/tcp/0'] } = options;
    const node = await packages.createLibp2p({
      privateKey: packages.keys.privateKeyFromProtobuf(identity.key),
      addresses: { listen: [...listen] },
      transports: [packages.tcp()],
      connectionEncrypters: [packages.noise()],
      streamMuxers: [packages.yamux()],
      services: { identify: packages.identify() },
    });
    const transport = new Libp2pTransport(packages, node, intake, options);
    const limits = { maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS };
    await node.handle(PULL, (stream, { remotePeer }) => transport.#answer(stream, remotePeer.toString()), limits);
    if (options.acceptPush)
      await node.handle(PUSH, (stream, { remotePeer }) => transport.#pushedTo(stream, remotePeer.toString()), limits);
    return transport;
  }

  /** Addresses at which others reach this peer. */
  get addresses(): readonly string[] {
    return this.#node.getMultiaddrs().map(String);
  }

  /**
   * Checks an address, before it is dialled.
   *
   * @throws Error for what is no address of libp2p
   */
  requireAddress(address: string): void {
    try {
      this.#packages.multiaddr(address);
    } catch {
      throw new Error(`"${address}" is no address of libp2p; expected one such as /ip4/192.168.1.5/tcp/4001`);
    }
  }

  /**
   * Connects to a peer, which is known from then on.
   *
   * @param address such as /ip4/192.168.1.5/tcp/4001, with or without /p2p/…
   * @returns its name
   * @throws Error naming an address that is none, or does not answer
   */
  async connect(address: string): Promise<string> {
    try {
      const signal = this.#deadline();
      const connection = await this.#node.dial(this.#packages.multiaddr(address), { signal });
      const id = connection.remotePeer.toString();
      this.#meet(id);
      return id;
    } catch (error) {
      throw new Error(`the peer at "${address}" does not answer: ${(error as Error).message.split('\n')[0]}`);
    }
  }

  /** @inheritdoc */
  async pull(requester: GRankPeer, responder: string): Promise<number | undefined> {
    let fresh = 0;
    const isAnswered = await this.#exchange(responder, PULL, async (stream, signal) => {
      const lines = this.#packages.lpStream(stream, { maxDataLength: FRAME_BYTES });
      await lines.write(requestFrame(requester.vector()), { signal });
      fresh = await this.#read(responder, async () => (await lines.read({ signal })).subarray());
    });
    return isAnswered ? fresh : undefined;
  }

  /**
   * Sends a peer what it has not been sent.
   *
   * @returns entries that were sent, or undefined when it did not take them
   */
  async push(sender: GRankPeer, receiver: string): Promise<number | undefined> {
    const since = this.#pushed.get(receiver) ?? {};
    const news = [...sender.entriesSince(since)];
    const isTaken = await this.#exchange(receiver, PUSH, async (stream, signal) => {
      const lines = this.#packages.lpStream(stream, { maxDataLength: FRAME_BYTES });
      for (const frame of entryFrames(news)) await lines.write(frame, { signal });
      readEntries((await lines.read({ signal })).subarray());
    });
    if (!isTaken) return undefined;
    this.#pushed.set(receiver, { ...since, ...lastOf(news) });
    return news.length;
  }

  /** Hangs up and stops listening. */
  async stop(): Promise<void> {
    await this.#node.stop();
  }

  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#options.timeout ?? TIMEOUT);
  }

  #meet(peer: string): void {
    if (this.#intake.peer.known.length < KNOWN) this.#intake.peer.meet(peer);
  }

  /** One exchange with a peer; who cannot be reached is forgotten. */
  async #exchange(
    peer: string,
    protocol: string,
    body: (stream: Stream, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const signal = this.#deadline();
    let stream: Stream;
    try {
      stream = await this.#node.dialProtocol(this.#packages.ids.peerIdFromString(peer), protocol, { signal });
    } catch {
      this.#intake.peer.forget(peer);
      return false;
    }
    return ended(stream, signal, () => body(stream, signal));
  }

  /** Answers a pull. */
  async #answer(stream: Stream, requester: string): Promise<void> {
    const signal = this.#deadline();
    await ended(stream, signal, async () => {
      const lines = this.#packages.lpStream(stream, { maxDataLength: REQUEST_BYTES });
      const since = readRequest((await lines.read({ signal })).subarray());
      this.#meet(requester);
      for (const frame of entryFrames(this.#intake.peer.entriesSince(since))) await lines.write(frame, { signal });
    });
  }

  /** Takes in what a peer sends unasked. */
  async #pushedTo(stream: Stream, sender: string): Promise<void> {
    const signal = this.#deadline();
    await ended(stream, signal, async () => {
      const lines = this.#packages.lpStream(stream, { maxDataLength: FRAME_BYTES });
      this.#meet(sender);
      await this.#read(sender, async () => (await lines.read({ signal })).subarray());
      const [end] = entryFrames([]);
      await lines.write(end as Uint8Array, { signal });
    });
  }

  /** Reads frames of entries to their end. @returns entries that were new */
  async #read(peer: string, next: () => Promise<Uint8Array>): Promise<number> {
    let [fresh, all] = [0, 0];
    for (let frame = 0; frame < PULL_FRAMES; frame++) {
      const entries = readEntries(await next());
      if (!entries) return fresh;
      all += entries.length;
      if (all > PULL_ENTRIES) throw new Error(`"${peer}" sent more than ${PULL_ENTRIES} entries`);
      const report = await this.#intake.take(entries);
      fresh += report.accepted;
      if (report.accepted < entries.length) this.#options.onRefused?.(peer, report);
      // Nobody has to check signatures without end.
      if (report.forged + report.malformed > 0) throw new Error(`"${peer}" sent entries that are not valid`);
    }
    throw new Error(`"${peer}" sent more than ${PULL_FRAMES} frames`);
  }
}

/** Runs one side of an exchange; whatever goes wrong ends its stream alone. */
async function ended(stream: Stream, signal: AbortSignal, body: () => Promise<void>): Promise<boolean> {
  try {
    await body();
    await stream.close({ signal });
    return true;
  } catch (error) {
    stream.abort(error as Error);
    return false;
  }
}

function lastOf(entries: readonly ClickEntry[]): Record<string, number> {
  const last: Record<string, number> = {};
  for (const { author, sequence } of entries) last[author] = Math.max(last[author] ?? 0, sequence);
  return last;
}
