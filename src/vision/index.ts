// Floor 6: small vision backbones.

export { fadingAt, VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';
