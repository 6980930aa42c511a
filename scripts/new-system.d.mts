export interface SkeletonSettings {
  readonly slug: string;
  readonly family: string;
  /** Name of the class. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly paper: {
    readonly authors: string;
    readonly title: string;
    readonly venue: string;
    readonly year: number;
    readonly arxiv?: string;
  };
}

export function settingsOf(slug: string | undefined, given: Readonly<Record<string, string>>): SkeletonSettings;
export function insertRecord(text: string, record: string): string;
export function newSystem(settings: SkeletonSettings, folder?: string): string[];
