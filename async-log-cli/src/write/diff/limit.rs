//! How much a name may change: `p99 > +20%`.

use std::fmt;

/// What of a name is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    P50,
    P99,
    /// The median of self time, and its 99th percentile.
    Self50,
    Self99,
    Errors,
    Count,
}

impl Metric {
    pub(super) const ALL: [Metric; 6] = [
        Metric::P50,
        Metric::P99,
        Metric::Self50,
        Metric::Self99,
        Metric::Errors,
        Metric::Count,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Metric::P50 => "p50",
            Metric::P99 => "p99",
            Metric::Self50 => "self_p50",
            Metric::Self99 => "self_p99",
            Metric::Errors => "errors",
            Metric::Count => "count",
        }
    }
}

/// A change of a name that is too much: `p99 > +20%`, `count < -50%`.
#[derive(Clone, Debug)]
pub struct Limit {
    pub(super) metric: Metric,
    is_more: bool,
    /// 0.2 for 20 %.
    part: f64,
}

impl Limit {
    /// Reads a limit of the command line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Limit, String> {
        const FORM: &str = "a limit is METRIC > +PERCENT% or METRIC < -PERCENT%, of p50, p99, self_p50, self_p99, errors or \
             count: \
             'p99 > +20%'";
        let at = text.find(['>', '<']).ok_or(FORM)?;
        let (word, rest) = text.split_at(at);
        let metric = Metric::ALL.into_iter().find(|of| of.word() == word.trim());
        let metric = metric.ok_or_else(|| format!("`{}` is not compared; {FORM}", word.trim()))?;
        let is_more = rest.starts_with('>');
        let percent = rest[1..].trim().strip_suffix('%').ok_or(FORM)?;
        let percent: f64 = percent.trim().parse().map_err(|_| FORM)?;
        let is_right = percent.is_finite()
            && if is_more {
                percent >= 0.0
            } else {
                percent <= 0.0
            };
        if !is_right {
            return Err(FORM.to_owned());
        }
        Ok(Limit {
            metric,
            is_more,
            part: percent / 100.0,
        })
    }

    /// Whether a change from one value to another is too much.
    pub(super) fn is_over(&self, before: f64, after: f64) -> bool {
        match self.is_more {
            true => after > before * (1.0 + self.part),
            false => after < before * (1.0 + self.part),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_more { '>' } else { '<' };
        write!(f, "{} {sign} {:+}%", self.metric.word(), self.part * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_hold() {
        let limit = Limit::parse("p99 > +20%").unwrap();
        assert!(limit.is_over(100.0, 121.0) && !limit.is_over(100.0, 119.0));
        let limit = Limit::parse("count<-50%").unwrap();
        assert!(limit.is_over(100.0, 49.0) && !limit.is_over(100.0, 51.0));
        assert_eq!(limit.to_string(), "count < -50%");
        for wrong in [
            "p99",
            "p99 > 20",
            "p98 > +20%",
            "p99 > -20%",
            "p99 > x%",
            "",
        ] {
            assert!(Limit::parse(wrong).is_err(), "{wrong}");
        }
    }
}
