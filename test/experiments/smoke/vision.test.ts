import { smokeRuns } from './runs.js';

smokeRuns('vision');
