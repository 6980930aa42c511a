import { smokeRuns } from './runs.js';

smokeRuns('compress');
