// How much tests and networks can tell apart: colour refinement of nodes and of pairs of nodes.

export { classify, classSchemes, isStronger, type SubgraphClass, subgraphClasses } from './classify.js';
export type { Colours } from './colours.js';
export { determines, type Encoding, encodes, type GraphProperty, properties, type Unit } from './encodes.js';
export type { Labels } from './pair-tests.js';
export {
  type Colouring,
  type ColourTest,
  type ColourTestName,
  colourGraphs,
  colourTests,
  equalPairs,
  isFiner,
  nameOfTest,
  type SubgraphTest,
  tellsApart,
} from './tests.js';
