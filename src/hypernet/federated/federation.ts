// The server's view of its clients: who is asked in a round, who answers in time, late or not at
// all, whose answers are refused, and how many bytes pass.

import type { Channel } from './channel.js';
import { decodeMessage, encodeMessage, type Message, payloadBytes } from './message.js';

/** What became of a request. */
export type Outcome = 'answered' | 'late' | 'lost' | 'refused' | 'dropped';

/** One line of the log of a federation. */
export interface FederationEvent {
  /** Number of the round in which the client was asked. */
  readonly round: number;
  /** Name of the client. */
  readonly client: string;
  /**
   * `answered`; `late`: not before the round was closed; `lost`: no answer; `refused`: an answer
   * that cannot be used; `dropped`: the simulation left it out.
   */
  readonly outcome: Outcome;
  /** The reason, in words. */
  readonly detail?: string;
}

/** Bytes between the server and one client. */
export interface Traffic {
  /** Bytes of arrays to the client. */
  down: number;
  /** Bytes of arrays from it. */
  up: number;
  /** Bytes of whole messages to the client, with headers. */
  wireDown: number;
  /** Bytes of whole messages from it. */
  wireUp: number;
}

/** An answer that can be used. */
export interface Answer {
  /** Name of the client. */
  readonly client: string;
  /** What it answered. */
  readonly message: Message;
  /** Rounds between the question and now; 0 in its own round. */
  readonly age: number;
}

/** Options of `Federation`. */
export interface FederationOptions {
  /** Milliseconds after which a round is closed. Default: none. */
  readonly deadline?: number;
  /** Rounds after which a late answer is of no use. Default: 10. */
  readonly oldest?: number;
  /**
   * Simulation of clients: whether one answers in a round, is lost, or how many rounds later its
   * answer arrives. Default: all answer.
   */
  readonly simulate?: (client: string, round: number) => 'answers' | 'lost' | number;
  /** Called with what happened. */
  readonly onEvent?: (event: FederationEvent) => void;
}

interface Pending {
  readonly round: number;
  /** The round from which a simulated answer may be used. */
  readonly due: number;
}

/** Clients that a server asks in rounds. */
export class Federation {
  /** Bytes by client. */
  readonly traffic = new Map<string, Traffic>();
  /** What happened so far. */
  readonly events: FederationEvent[] = [];
  readonly #channels = new Map<string, Channel>();
  /** Requests without an answer, by client. */
  readonly #busy = new Map<string, Pending>();
  /** Answers that came after their round, or are simulated to. */
  #late: { readonly answer: Omit<Answer, 'age'>; readonly asked: number; readonly due: number }[] = [];
  #round = -1;

  constructor(
    channels: readonly Channel[],
    readonly options: FederationOptions = {},
  ) {
    for (const channel of channels) this.add(channel);
  }

  /** Adds a client, or replaces its channel when it comes back. */
  add(channel: Channel): void {
    this.#channels.set(channel.name, channel);
    this.#busy.delete(channel.name);
    if (!this.traffic.has(channel.name)) this.traffic.set(channel.name, { down: 0, up: 0, wireDown: 0, wireUp: 0 });
  }

  /** Leaves a client out of further rounds. */
  remove(client: string): void {
    this.#channels.delete(client);
    this.#busy.delete(client);
  }

  /** Names of the clients that can be asked: present, and without an open question. */
  get available(): string[] {
    return [...this.#channels.keys()].filter((name) => !this.#busy.has(name));
  }

  /**
   * Asks some clients and waits until each has answered, is lost, or the deadline has passed.
   *
   * @param clients names; those with an open question are left out, with an event
   * @param messageFor the message for each
   * @param check throws where an answer cannot be used
   * @returns usable answers in the order of the names, those of earlier rounds that have come since
   * first
   */
  async ask(
    round: number,
    clients: readonly string[],
    messageFor: (client: string) => Message,
    check: (message: Message, client: string) => void,
  ): Promise<Answer[]> {
    this.#round = round;
    const own: Answer[] = [];
    let closed = false;
    const all = clients.map(async (client) => {
      const answer = await this.#one(round, client, messageFor, check);
      if (!answer) return;
      const { due } = answer;
      if (!closed && due <= round) {
        this.#note({ round, client, outcome: 'answered' });
        own.push({ client, message: answer.message, age: 0 });
      } else {
        const detail = due > round ? `it arrives ${due - round} rounds later` : 'it came after the round was closed';
        this.#note({ round, client, outcome: 'late', detail });
        this.#late.push({ answer: { client, message: answer.message }, asked: round, due });
      }
    });
    await withDeadline(Promise.all(all), this.options.deadline);
    closed = true;
    for (const client of clients)
      if (this.#busy.get(client)?.round === round)
        this.#note({
          round,
          client,
          outcome: 'late',
          detail: 'no answer before the deadline; the round closes without it',
        });
    const order = new Map(clients.map((client, i) => [client, i]));
    const inOrder = own.sort((a, b) => (order.get(a.client) as number) - (order.get(b.client) as number));
    return [...this.#arrived(), ...inOrder];
  }

  /** Late answers whose time has come. */
  #arrived(): Answer[] {
    const { oldest = 10 } = this.options;
    const now = this.#late.filter(({ due, asked }) => due <= this.#round && asked < this.#round);
    this.#late = this.#late.filter((one) => !now.includes(one));
    return now.map(({ answer, asked }) => ({ ...answer, age: this.#round - asked })).filter(({ age }) => age <= oldest);
  }

  async #one(
    round: number,
    client: string,
    messageFor: (client: string) => Message,
    check: (message: Message, client: string) => void,
  ): Promise<{ readonly message: Message; readonly due: number } | undefined> {
    const channel = this.#channels.get(client);
    if (!channel) {
      this.#note({ round, client, outcome: 'lost', detail: 'it is not connected' });
      return undefined;
    }
    const busy = this.#busy.get(client);
    if (busy) {
      this.#note({ round, client, outcome: 'late', detail: `it still owes the answer of round ${busy.round}` });
      return undefined;
    }
    const simulated = this.options.simulate?.(client, round) ?? 'answers';
    if (simulated === 'lost') {
      this.#note({ round, client, outcome: 'dropped' });
      return undefined;
    }
    const pending = { round, due: round + (typeof simulated === 'number' ? simulated : 0) };
    this.#busy.set(client, pending);
    try {
      const message = await this.#exchange(channel, messageFor(client));
      check(message, client);
      return { message, due: pending.due };
    } catch (error) {
      const { message } = error as Error;
      const outcome = error instanceof LostClient ? 'lost' : 'refused';
      this.#note({ round, client, outcome, detail: message });
      return undefined;
    } finally {
      if (this.#busy.get(client) === pending) this.#busy.delete(client);
    }
  }

  async #exchange(channel: Channel, message: Message): Promise<Message> {
    const traffic = this.traffic.get(channel.name) as Traffic;
    const question = encodeMessage(message);
    traffic.down += payloadBytes(message);
    traffic.wireDown += question.length;
    let bytes: Uint8Array;
    try {
      bytes = await channel.request(question);
    } catch (error) {
      throw new LostClient((error as Error).message);
    }
    traffic.wireUp += bytes.length;
    const answer = decodeMessage(bytes, `the answer of "${channel.name}"`);
    traffic.up += payloadBytes(answer);
    return answer;
  }

  #note(event: FederationEvent): void {
    this.events.push(event);
    this.options.onEvent?.(event);
  }

  /** Closes all channels. */
  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel.close?.()));
  }
}

/** A client that did not answer. */
class LostClient extends Error {}

async function withDeadline(work: Promise<unknown>, deadline: number | undefined): Promise<void> {
  if (deadline === undefined) {
    await work;
    return;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadline);
    }),
  ]);
  clearTimeout(timer);
}
