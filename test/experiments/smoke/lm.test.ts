import { smokeRuns } from './runs.js';

smokeRuns('lm');
