//! Mutants: the reference broker with one named fault each, switched on at run time.
//!
//! Each bites in one line of the model. A check or rule that no mutant has tripped is claimed, not proved.

mod rules;
mod table;

pub use table::Mutant;

/// The fault of this broker, if it has one: a copy for whoever needs to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fault(pub(crate) Option<Mutant>);

impl Fault {
    pub(crate) fn is(self, mutant: Mutant) -> bool {
        self.0 == Some(mutant)
    }
}

macro_rules! mutants {
    ($($variant:ident $name:literal $summary:literal [$($id:literal),*];)*) => {
        /// A reference broker with one named fault.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Mutant {
            $(#[doc = concat!("The broker ", $summary, ".")] $variant,)*
        }

        impl Mutant {
            /// Every mutant, in the order of the table.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$variant),*];

            /// Its name in snake case.
            pub const fn name(self) -> &'static str {
                match self { $(Mutant::$variant => $name,)* }
            }

            /// The mutant of this name.
            pub fn from_name(name: &str) -> Option<Mutant> {
                match name { $($name => Some(Mutant::$variant),)* _ => None }
            }

            /// What it does wrong, as the rest of a sentence that begins with "the broker".
            pub const fn summary(self) -> &'static str {
                match self { $(Mutant::$variant => $summary,)* }
            }

            /// The statements that it breaks, each with its version; `U3-`, `U5-` and `M31-` ids are rules that
            /// the specification does not number.
            pub const fn breaks(self) -> &'static [&'static str] {
                match self { $(Mutant::$variant => &[$($id),*],)* }
            }
        }
    };
}
use mutants;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_snake_case_and_lead_back() {
        let mut names = BTreeSet::new();
        for &mutant in Mutant::ALL {
            let name = mutant.name();
            assert!(names.insert(name), "{name}");
            assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name}");
            assert_eq!(Mutant::from_name(name), Some(mutant));
            let spelled: String = format!("{mutant:?}").to_lowercase();
            assert_eq!(spelled, name.replace('_', ""));
        }
        assert_eq!(Mutant::from_name("none_such"), None);
    }

    #[test]
    fn every_mutant_breaks_a_statement_of_a_version() {
        for mutant in Mutant::ALL {
            assert!(!mutant.breaks().is_empty(), "{mutant:?}");
            assert!(!mutant.summary().is_empty() && !mutant.summary().ends_with('.'), "{mutant:?}");
            for id in mutant.breaks() {
                assert!(
                    ["3.1/M31-", "3.1.1/MQTT-", "3.1.1/U3-", "5.0/MQTT-", "5.0/U5-"]
                        .iter()
                        .any(|p| id.starts_with(p)),
                    "{id}"
                );
            }
        }
    }
}
