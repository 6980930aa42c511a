import { smokeRuns } from './runs.js';

smokeRuns('embedding');
