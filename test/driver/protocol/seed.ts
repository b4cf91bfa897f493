/** Random tests are the same in every run; a failure prints what to put here to see it again. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 0x57_49_4e_43 });
