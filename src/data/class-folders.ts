// Folders with a folder of pictures for each class, maybe below train/ and test/.

import { isFolder } from './graph-folder.js';
import { filesBelow, type Subfolder, subfoldersOf } from './picture-files.js';

/** A file with the number of its class. */
export interface LabelledFile {
  /** Path of the file. */
  readonly file: string;
  /** Number of its class. */
  readonly label: number;
}

/** The pictures of a folder, not yet opened. */
export interface ListedPictures {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** The folder of each class that is trained on. */
  readonly folders: readonly Subfolder[];
  /** Pictures to train on, or to train and test on. */
  readonly train: readonly LabelledFile[];
  /** Pictures to test on, where they lie apart. */
  readonly test?: readonly LabelledFile[];
}

/** Called with what is left out or unlike what was asked for. */
type OnNote = ((text: string) => void) | undefined;

/** Folders of classes for training, and for testing where they are apart. */
interface Parts {
  readonly train: readonly Subfolder[];
  readonly test?: readonly Subfolder[];
}

/** Names of the folder of test pictures, the first that is there counts. */
const testNames = ['test', 'testing', 'val', 'valid', 'validation'];
const trainNames = ['train', 'training'];

/**
 * Lists the pictures of a folder by class; those below `test` (or `val`) apart, beside `train`, or
 * those of a folder of test pictures elsewhere.
 *
 * @throws Error when there are fewer than two classes, test pictures of unknown ones, or a class
 * without pictures
 */
export function listPictures(path: string, onNote?: (text: string) => void, testPath?: string): ListedPictures {
  const { train, test } = partsOf(path, onNote, testPath);
  const classes = train.map(({ name }) => name);
  return {
    ...{ classes, folders: train, train: picturesOf(train, classes, onNote) },
    ...(test && { test: picturesOf(test, classes, onNote) }),
  };
}

/** Why a picture cannot be used, in words that stand behind its name. */
export function unusableReason({ message }: Error, file: string): string {
  return message.replace('decodePicture: ', '').replace(`file "${file}" `, 'it ');
}

/** @throws Error when there are fewer than two classes, or test pictures of unknown ones */
function partsOf(path: string, onNote: OnNote, testPath?: string): Parts {
  const folders = subfoldersOf(path);
  const called = (names: readonly string[]) =>
    names.flatMap((name) => folders.filter((folder) => folder.name.toLowerCase() === name))[0];
  const [train, test] = [called(trainNames), called(testNames)];
  if (testPath !== undefined) {
    if (train && test)
      throw new Error(
        `"${path}" has a folder ${test.name} of its own; give "${train.path}" with "${testPath}", or leave that out`,
      );
    if (!isFolder(testPath))
      throw new Error(`"${testPath}" is no folder; give one with a folder of pictures for each class`);
    return testedBy(classFolders(path, folders, onNote), testPath, onNote);
  }
  if (!train || !test) return { train: classFolders(path, folders, onNote) };
  const unread = folders.filter((folder) => folder !== train && folder !== test);
  if (unread.length > 0)
    onNote?.(`"${path}": ${train.name} and ${test.name} are read, not ${unread.map(({ name }) => name).join(', ')}`);
  return testedBy(classFolders(train.path, subfoldersOf(train.path), onNote), test.path, onNote);
}

/** @throws Error when there are no test pictures, or some of unknown classes */
function testedBy(classes: readonly Subfolder[], path: string, onNote: OnNote): Parts {
  const held = subfoldersOf(path);
  if (held.length === 0)
    throw new Error(`folder "${path}" has no folder of a class; test pictures lie in one for each`);
  const unknown = held.filter(({ name }) => !classes.some((own) => own.name === name));
  if (unknown.length > 0)
    throw new Error(
      `folder "${path}" holds classes that training lacks: ${unknown.map(({ name }) => name).join(', ')}`,
    );
  const missing = classes.filter(({ name }) => !held.some((own) => own.name === name));
  if (missing.length > 0)
    onNote?.(`"${path}" has no folder of ${missing.map(({ name }) => name).join(', ')}, which no picture tests`);
  return { train: classes, test: held };
}

/** The folders of classes. @throws Error when there are fewer than two, with what to do */
function classFolders(path: string, folders: readonly Subfolder[], onNote: OnNote): readonly Subfolder[] {
  const [only] = folders;
  if (folders.length < 2) {
    const inner = only && subfoldersOf(only.path).length > 1 ? `; if the classes are in "${only.path}", give that` : '';
    throw new Error(
      `folder "${path}" must hold a folder of pictures for each of at least two classes; it holds ${folders.length}${inner}`,
    );
  }
  const loose = filesBelow(path, false).pictures;
  if (loose.length > 0) onNote?.(`"${path}": ${some(loose)} in no folder of a class, left out`);
  return folders;
}

/** @throws Error naming a folder without pictures */
function picturesOf(folders: readonly Subfolder[], classes: readonly string[], onNote: OnNote): LabelledFile[] {
  const other: string[] = [];
  const labelled = folders.flatMap(({ name, path }) => {
    const { pictures, others } = filesBelow(path);
    if (pictures.length === 0)
      throw new Error(`class folder "${path}" holds no pictures; put some there, or remove the folder`);
    other.push(...others);
    return pictures.map((file) => ({ file, label: classes.indexOf(name) }));
  });
  if (other.length > 0) onNote?.(`${some(other)} no pictures by content or name, left out`);
  return labelled;
}

/** The number of files with the first few names, as the beginning of a sentence. */
function some(files: readonly string[]): string {
  const named = `${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''}`;
  return files.length === 1 ? `1 file (${named}) is` : `${files.length} files (${named}) are`;
}
