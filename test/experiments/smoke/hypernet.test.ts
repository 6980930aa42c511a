import { smokeRuns } from './runs.js';

smokeRuns('hypernet');
