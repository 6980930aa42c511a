// Names of models on a hub: hf:owner/name[@revision][:file].

/** Where a model lies on a hub. */
export interface HubName {
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** A path in the repository, or the name of a quantisation; undefined leaves the choice open. */
  readonly file: string | undefined;
}

const PREFIX = 'hf:';
const PART = String.raw`[A-Za-z0-9_](?:[\w.-]*\w)?`;
const NAME = new RegExp(`^${PREFIX}(${PART}/${PART})(?:@([^:]+))?(?::(.+))?$`);

/** Whether a text names a model on a hub, rather than a file. */
export function isHubName(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * Reads `hf:owner/name[@revision][:file]`.
 *
 * @throws Error when the text is no such name.
 */
export function parseHubName(text: string): HubName {
  const [, repository = '', revision = 'main', file] = NAME.exec(text) ?? [];
  const isSafe = !/--|\.\./.test(repository) && isInside(revision) && (file === undefined || isInside(file));
  if (repository === '' || !isSafe)
    throw new Error(`"${text}" is no name of a model; write hf:owner/name, hf:owner/name:file or hf:owner/name:Q4_K_M`);
  return { repository, revision, file };
}

/**
 * Whether a path stays below the folder that it is joined to; paths of listings are checked too,
 * since who owns a repository chooses them.
 */
export function isInside(path: string): boolean {
  return (
    path !== '' &&
    !/^[/\\]|\\|\0|^[A-Za-z]:/.test(path) &&
    path.split('/').every((part) => !['', '.', '..'].includes(part))
  );
}
