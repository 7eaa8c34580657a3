//! Whether two logs differ by more than chance would have it.
//!
//! What is compared are whole units, a trace or a task each: spans in one of them are alike, and
//! thousands of them say no more than one does. If nothing had changed, any unit could have been in
//! either log. So the test asks how often a random split of all units differs as much as the two logs
//! do: a permutation test. No split is drawn: mean, variance and skewness of all of them are known from
//! the sums below, and a gamma distribution with the same three (Pearson's type III) gives the tail.
//! Thus no seed is needed, and the same logs give the same result.

/// What a unit says of a name, against what was to be expected of it: more, or less.
///
/// Sums of the second and third powers over the units of both logs, and of the first over those of the
/// later log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deviations {
    /// How many units there are in the earlier log, and in the later.
    pub(super) units: [f64; 2],
    /// The sum over the later log.
    pub(super) later: f64,
    pub(super) squares: f64,
    pub(super) cubes: f64,
}

impl Deviations {
    /// A unit of one of the logs, the earlier or the later.
    pub(super) fn add(&mut self, is_later: bool, deviation: f64) {
        self.add_many(is_later, deviation, 1.0);
    }

    /// So many units that say the same.
    pub(super) fn add_many(&mut self, is_later: bool, deviation: f64, units: f64) {
        self.units[usize::from(is_later)] += units;
        if is_later {
            self.later += deviation * units;
        }
        self.squares += deviation.powi(2) * units;
        self.cubes += deviation.powi(3) * units;
    }

    /// How likely a random split differs as much, in either direction.
    pub(super) fn p_value(&self) -> f64 {
        let all = self.units[0] + self.units[1];
        let share = self.units[1] / all;
        let spread = share * (1.0 - share);
        let variance = spread * self.squares * all / (all - 1.0);
        if variance <= 0.0 || !variance.is_finite() {
            return 1.0;
        }
        let skew = spread * (1.0 - 2.0 * share) * self.cubes / variance.powf(1.5);
        // What is counted is counted in ones.
        let distance = (self.later.abs() - 0.5).max(0.0) / variance.sqrt();
        let skew = if self.later < 0.0 { -skew } else { skew };
        (2.0 * tail(distance, skew)).min(1.0)
    }
}

/// The part of a distribution of mean 0, variance 1 and that skewness that is above `z`.
fn tail(z: f64, skew: f64) -> f64 {
    // It is normal, nearly.
    if skew.abs() < 1e-3 {
        return 0.5 * upper_gamma(0.5, z * z / 2.0);
    }
    let shape = 4.0 / (skew * skew);
    match skew > 0.0 {
        true => upper_gamma(shape, shape + z * shape.sqrt()),
        false => lower_gamma(shape, shape - z * shape.sqrt()),
    }
}

/// The regularized upper incomplete gamma function.
fn upper_gamma(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    match x < shape + 1.0 {
        true => 1.0 - by_series(shape, x),
        false => by_fraction(shape, x),
    }
}

/// The regularized lower incomplete gamma function.
fn lower_gamma(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    match x < shape + 1.0 {
        true => by_series(shape, x),
        false => 1.0 - by_fraction(shape, x),
    }
}

const STEPS: usize = 100_000;
const CLOSE: f64 = 1e-14;

fn front(shape: f64, x: f64) -> f64 {
    (shape * x.ln() - x - ln_gamma(shape)).exp()
}

/// The lower function by its series.
fn by_series(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
    for step in 1..STEPS {
        term *= x / (shape + step as f64);
        sum += term;
        if term < sum * CLOSE {
            break;
        }
    }
    (front(shape, x) * sum).min(1.0)
}

/// The upper function by its continued fraction, after Lentz.
fn by_fraction(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |of: f64| if of.abs() < TINY { TINY } else { of };
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut fraction = d;
    for step in 1..STEPS {
        let step = step as f64;
        let a = -step * (step - shape);
        b += 2.0;
        d = 1.0 / away(a * d + b);
        c = away(b + a / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < CLOSE {
            break;
        }
    }
    (front(shape, x) * fraction).clamp(0.0, 1.0)
}

/// The logarithm of the gamma function, after Lanczos.
fn ln_gamma(x: f64) -> f64 {
    const PARTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let parts = PARTS.iter().zip(1..);
    let sum = parts.fold(0.999_999_999_999_809_9, |sum, (part, at)| {
        sum + part / (x + f64::from(at))
    });
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Which of many tests say more than chance would, after Holm: all of them together are wrong no more
/// often than `level`.
pub(super) fn significant(p_values: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<_> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut is_significant = vec![false; p_values.len()];
    for (rank, &at) in order.iter().enumerate() {
        if p_values[at] > level / (p_values.len() - rank) as f64 {
            break;
        }
        is_significant[at] = true;
    }
    is_significant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(is: f64, should_be: f64) {
        let off = (is / should_be - 1.0).abs();
        assert!(off < 1e-6, "{is} is not {should_be}");
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        assert_close(tail(1.959_963_985, 0.0), 0.025);
        assert_close(tail(5.0, 0.0), 2.866_515_718e-7);
        // An exponential distribution has the skewness 2.
        assert_close(tail(2.0, 2.0), (-3.0_f64).exp());
        assert_close(tail(0.5, -2.0), 1.0 - (-0.5_f64).exp());
        // Nearly none is the same as none, nearly.
        let off = tail(3.0, 1.1e-3) / tail(3.0, 0.0);
        assert!((off - 1.0).abs() < 0.01, "{off}");
        assert_close(ln_gamma(10.0), 362_880_f64.ln());
    }

    /// What is seldom in a small part of all units is the hardest: no normal distribution is like it.
    #[test]
    fn p_values_are_about_those_of_the_exact_distribution() {
        // 20 marks, a tenth of the units in the later log, 7 of the marks there: P(X ≥ 7) = 0.0024.
        let mut deviations = Deviations::default();
        for unit in 0..10_000 {
            let mark = f64::from(u8::from(unit < 20));
            let is_later = (13..1_013).contains(&unit);
            deviations.add(is_later, mark - 0.002);
        }
        let p = deviations.p_value();
        assert!((0.0048 * 0.5..0.0048 * 2.0).contains(&p), "{p}");
    }

    #[test]
    fn the_same_in_both_logs_is_no_difference() {
        let mut deviations = Deviations::default();
        for unit in 0..1000 {
            let mark = f64::from(u8::from(unit % 100 < 2));
            deviations.add(unit % 2 == 0, mark - 0.02);
        }
        assert!(deviations.p_value() > 0.9, "{deviations:?}");
        assert_eq!(Deviations::default().p_value(), 1.0);
    }

    #[test]
    fn many_tests_need_better_evidence() {
        assert_eq!(significant(&[0.04], 0.05), [true]);
        assert_eq!(significant(&[0.04, 0.9], 0.05), [false, false]);
        assert_eq!(significant(&[0.04, 0.01], 0.05), [true, true]);
        assert_eq!(significant(&[], 0.05), [false; 0]);
    }
}
