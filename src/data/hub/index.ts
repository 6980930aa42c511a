// Repositories of models on a hub, as Hugging Face's: names, listings, downloads. The cache on disk
// is in cache.ts, for Node alone.

export { isHubName, parseHubName } from './names.js';
export { fetchIntoPage, type PageBytes, type PageFetchOptions } from './page-storage.js';
export { type HubFile, type HubRepository, listRepository } from './repository.js';
export { type HubAccess, UnreachableError } from './requests.js';
