//! XML, YAML and JSON as one kind of tree.

use crate::history::sql::Flaw;
use crate::yaml::{Node, Value};

/// An element of XML, or a key of YAML with what stands under it.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// Byte offset into the file.
    pub(super) at: usize,
    /// Attributes, or scalars under the key.
    pub(super) fields: Vec<(String, String)>,
    pub(super) children: Vec<Self>,
    /// Between the tags, or the scalar itself.
    pub(super) text: String,
}

impl Element {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The tree of a file, by the ending of its name.
pub(super) fn read(text: &str, path: &str) -> Result<Element, Flaw> {
    if path.to_lowercase().ends_with(".xml") {
        let document = roxmltree::Document::parse(text).map_err(|error| {
            let line = error.pos().row.saturating_sub(1) as usize;
            let at = text.split_inclusive('\n').take(line).map(str::len).sum();
            Flaw { at, message: format!("this XML cannot be read: {error}") }
        })?;
        return Ok(of_xml(document.root_element()));
    }
    let node = Node::parse(text).map_err(|mistake| Flaw { at: mistake.place.offset(), message: mistake.message })?;
    let mut root = Element { name: "root".to_owned(), ..Element::default() };
    under(&mut root, &node);
    Ok(root)
}

fn of_xml(node: roxmltree::Node<'_, '_>) -> Element {
    Element {
        name: node.tag_name().name().to_owned(),
        at: node.range().start,
        fields: node.attributes().map(|field| (field.name().to_owned(), field.value().to_owned())).collect(),
        children: node.children().filter(roxmltree::Node::is_element).map(of_xml).collect(),
        text: node.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect(),
    }
}

/// Entries of a map are children by their key, and scalars are fields too; items of a list stand in its place.
fn under(element: &mut Element, node: &Node) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                let Some(name) = scalar(key) else { continue };
                if let Some(text) = scalar(value) {
                    element.fields.push((name.clone(), text));
                }
                let mut child = Element { name, at: key.place.offset(), ..Element::default() };
                under(&mut child, value);
                element.children.push(child);
            }
        }
        Value::List(items) => {
            for item in items {
                match &item.value {
                    // An item with several entries is a thing of its own; one with a single entry is what that names.
                    Value::Map(entries) if entries.len() != 1 => {
                        let mut child =
                            Element { name: "item".to_owned(), at: item.place.offset(), ..Element::default() };
                        under(&mut child, item);
                        element.children.push(child);
                    }
                    _ => under(element, item),
                }
            }
        }
        _ => element.text = scalar(node).unwrap_or_default(),
    }
}

fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
