import { smokeRuns } from './runs.js';

smokeRuns('recommend');
