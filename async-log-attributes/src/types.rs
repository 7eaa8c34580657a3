//! A walk over a type. `syn`'s own visitors know all of Rust, and a crate that implements one compiles all of that again.

use syn::punctuated::Punctuated;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Token, Type, TypeParamBound};

/// Visits a type and those that it consists of, as far as `visit` says to go inside.
pub(crate) fn walk(ty: &mut Type, visit: &mut dyn FnMut(&mut Type) -> bool) {
    if !visit(ty) {
        return;
    }
    match ty {
        Type::Array(array) => walk(&mut array.elem, visit),
        Type::Group(group) => walk(&mut group.elem, visit),
        Type::ImplTrait(opaque) => walk_bounds(&mut opaque.bounds, visit),
        Type::Paren(paren) => walk(&mut paren.elem, visit),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                walk(&mut qself.ty, visit);
            }
            walk_path(&mut path.path, visit);
        }
        Type::Ptr(pointer) => walk(&mut pointer.elem, visit),
        Type::Reference(reference) => walk(&mut reference.elem, visit),
        Type::Slice(slice) => walk(&mut slice.elem, visit),
        Type::TraitObject(object) => walk_bounds(&mut object.bounds, visit),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| walk(ty, visit)),
        // Function pointers, `_` and `!` have no `impl Trait` in them; of macros nothing is known.
        _ => {}
    }
}

fn walk_bounds(
    bounds: &mut Punctuated<TypeParamBound, Token![+]>,
    visit: &mut dyn FnMut(&mut Type) -> bool,
) {
    for bound in bounds {
        if let TypeParamBound::Trait(bound) = bound {
            walk_path(&mut bound.path, visit);
        }
    }
}

fn walk_path(path: &mut Path, visit: &mut dyn FnMut(&mut Type) -> bool) {
    for part in &mut path.segments {
        match &mut part.arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(list) => {
                for argument in &mut list.args {
                    match argument {
                        GenericArgument::Type(ty) => walk(ty, visit),
                        GenericArgument::AssocType(assoc) => walk(&mut assoc.ty, visit),
                        GenericArgument::Constraint(constraint) => {
                            walk_bounds(&mut constraint.bounds, visit);
                        }
                        _ => {}
                    }
                }
            }
            PathArguments::Parenthesized(list) => {
                if let ReturnType::Type(_, ty) = &mut list.output {
                    walk(ty, visit);
                }
            }
        }
    }
}
