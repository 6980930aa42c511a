// Catalogues of products with attribute values.

export {
  type AttributeValue,
  catalogueLines,
  type LabelRow,
  type ProductCatalogue,
  ProductListReader,
  type ProductRow,
  type ProductTables,
  type ProductVectors,
  productCatalogue,
  productNumbers,
  requireWords,
  valueKey,
  valueText,
} from './catalogue.js';
export { type GeneratedCatalogueOptions, generatedCatalogue } from './generated.js';
export {
  descriptionsFromTable,
  isReleasedTable,
  labelsFromTable,
  productsFromTable,
  releasedTables,
  valuesFromTable,
} from './tables.js';
