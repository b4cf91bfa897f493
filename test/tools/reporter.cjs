// Quiet while things pass: one dot a file, failures in full, and a closing line that reads the same everywhere.
const { Base, Spec } = require('mocha').reporters;
const { EVENT_RUN_END, EVENT_TEST_PENDING, EVENT_SUITE_BEGIN } = require('mocha').Runner.constants;

class Quiet extends Base {
  constructor(runner, options) {
    super(runner, options);
    if (process.env.VERBOSE) new Spec(runner, options);
    const skipped = [];
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (suite.parent?.root && process.stdout.isTTY) process.stdout.write('.');
    });
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.once(EVENT_RUN_END, () => {
      if (!process.env.VERBOSE && this.failures.length > 0) Base.list(this.failures);
      for (const title of skipped) console.log(`skipped: ${title}`);
      const { passes, failures, pending, duration } = this.stats;
      console.log(`\n${(duration / 1000).toFixed(1)} s`);
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
}
module.exports = Quiet;
