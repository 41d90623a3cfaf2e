use super::proto::{AttributeProto, GraphProto, SparseTensorProto, TensorProto};
use super::*;

fn dynamic_conv() -> OnnxModel {
    let mut graph = GraphBuilder::new("test");
    graph.input("x", ElementType::F32, &[None, Some(3), None, None]);
    graph.weights("w", &[2, 3, 5, 1], &[0.5; 30]);
    graph.node("Conv", &["x", "w"], &["c"], &[("strides", Value::Ints(vec![2, 2]))]);
    graph.node("MaxPool", &["c"], &["y"], &[("kernel_shape", Value::Ints(vec![3, 3]))]);
    graph.output("y", ElementType::F32, &[None, Some(2), None, None]);
    graph.finish()
}

fn nodes(model: &mut OnnxModel) -> &mut Vec<NodeProto> {
    &mut model.proto.graph.as_mut().unwrap().node
}

fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    node.attribute.iter().find(|attribute| attribute.name() == name).map(|attribute| &attribute.ints[..])
}

fn refusal(bytes: &[u8]) -> String {
    let error = OnnxModel::parse(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    error.to_string()
}

#[test]
fn unusual_fields_survive() {
    let mut model = dynamic_conv();
    let graph = model.proto.graph.as_mut().unwrap();
    graph.quantization_annotation.push(vec![10, 1, b'x']);
    graph.sparse_initializer.push(SparseTensorProto {
        values: Some(TensorProto { name: Some("s".into()), ..Default::default() }),
        indices: Some(vec![8, 1]),
        dims: vec![4, 5],
    });
    graph.initializer[0].external_data.push(vec![10, 0]);
    graph.initializer[0].data_location = Some(0);
    graph.node[0].attribute.push(AttributeProto { f: Some(0.0), i: Some(0), tp: Some(vec![]), ..Default::default() });
    graph.node[0].doc_string = Some(b"\xff not UTF-8".to_vec());
    model.proto.training_info.push(vec![10, 0]);
    model.proto.functions.push(vec![10, 1, b'f']);
    model.proto.configuration.push(vec![10, 1, b'c']);
    assert_eq!(OnnxModel::parse(&model.encode()).unwrap(), model);
}

#[test]
fn ports_leave_initializers_out() {
    let mut model = dynamic_conv();
    let graph = model.proto.graph.as_mut().unwrap();
    graph.input.insert(0, ValueInfoProto { name: Some("w".into()), ..Default::default() });
    graph.output.push(ValueInfoProto { name: Some("untyped".into()), ..Default::default() });
    let shown: Vec<String> = model.inputs().iter().chain(&model.outputs()).map(|port| port.to_string()).collect();
    assert_eq!(shown, ["`x` f32 [?, 3, ?, ?]", "`y` f32 [?, 2, ?, ?]", "`untyped` type-0 []"]);
    let unknown = |value| fixed_size(&DimensionProto { dim_value: value, ..Default::default() });
    assert_eq!([unknown(None), unknown(Some(0)), unknown(Some(-1)), unknown(Some(7))], [None, None, None, Some(7)]);
}

#[test]
fn defaults_are_spelt_out_once() {
    let mut model = dynamic_conv();
    assert!(model.spell_out_defaults());
    assert!(!model.spell_out_defaults());
    let [conv, pool] = &nodes(&mut model)[..] else { panic!() };
    assert_eq!(ints(conv, "kernel_shape"), Some(&[5, 1][..]));
    assert_eq!(ints(conv, "strides"), Some(&[2, 2][..]));
    assert_eq!(ints(conv, "dilations"), Some(&[1, 1][..]));
    assert_eq!(ints(conv, "pads"), Some(&[0; 4][..]));
    assert!(conv.attribute.iter().any(|attribute| attribute.name() == "group" && attribute.i() == 1));
    assert_eq!(ints(pool, "strides"), Some(&[1, 1][..]));
    assert_eq!(ints(pool, "dilations"), None, "unknown to MaxPool before opset 10");
}

#[test]
fn defaults_reach_subgraphs_and_computed_weights() {
    let mut model = dynamic_conv();
    let constant = TensorProto { dims: vec![1, 2, 3, 3], ..Default::default() };
    let value = AttributeProto { name: Some("value".into()), t: Some(Box::new(constant)), ..Default::default() };
    let node = |op: &str, inputs: &[&str], output: &str| NodeProto {
        op_type: Some(op.into()),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    };
    let body = GraphProto { node: vec![node("Conv", &["z", "copy"], "t")], ..Default::default() };
    let branch = AttributeProto { g: Some(Box::new(body)), ..Default::default() };
    *nodes(&mut model) = vec![
        NodeProto { attribute: vec![value], ..node("Constant", &[], "weight") },
        node("Identity", &["weight"], "copy"),
        NodeProto { attribute: vec![branch], ..node("If", &["flag"], "t") },
    ];
    assert!(model.spell_out_defaults());
    let body = nodes(&mut model)[2].attribute[0].g.as_ref().unwrap();
    assert_eq!(ints(&body.node[0], "kernel_shape"), Some(&[3, 3][..]));
}

#[test]
fn padding_by_rule_and_unknown_kernels_are_left_alone() {
    let mut model = dynamic_conv();
    nodes(&mut model)[0].attribute.push(Value::Text("SAME_UPPER".into()).named("auto_pad"));
    nodes(&mut model)[1] = NodeProto { op_type: Some("Conv".into()), input: vec!["c".into()], ..Default::default() };
    model.spell_out_defaults();
    assert_eq!(ints(&nodes(&mut model)[0], "pads"), None);
    assert!(nodes(&mut model)[1].attribute.is_empty());
}

#[test]
fn nodes_are_found_by_a_text_attribute() {
    let mut model = dynamic_conv();
    assert_eq!(model.node_with("auto_pad", "SAME_LOWER"), None);
    nodes(&mut model)[0].attribute.push(Value::Text("SAME_LOWER".into()).named("auto_pad"));
    assert!(model.node_with("auto_pad", "SAME_LOWER").is_some_and(|node| node.starts_with("Conv")));
    assert_eq!(model.node_with("auto_pad", "SAME_UPPER"), None);
}

#[test]
fn normalisation_is_recognised_by_type_and_by_name() {
    let starting_with = |first: &[(&str, &str)]| {
        let mut model = dynamic_conv();
        let node = |&(op, name): &(&str, &str)| NodeProto {
            op_type: Some(op.into()),
            name: Some(name.into()),
            ..Default::default()
        };
        nodes(&mut model).splice(0..0, first.iter().map(node));
        model.starts_with_normalisation()
    };
    assert!(starting_with(&[("Sub", ""), ("Mul", "")]));
    assert!(starting_with(&[("", "_minusscalar0"), ("", "_mulscalar0")]));
    assert!(starting_with(&[("BatchNormalization", "bn_data")]));
    assert!(!starting_with(&[("Sub", "")]));
    assert!(!starting_with(&[("Conv", ""); 8].into_iter().chain([("Sub", ""), ("Mul", "")]).collect::<Vec<_>>()));
}

#[test]
fn other_files_are_named() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"\n <!DOCTYPE HTML><html>", "web page"),
        (b"<?xml version=\"1.0\"?><net>", "OpenVINO"),
        (b"\x1c\0\0\0TFL3\x14\0", "TensorFlow Lite"),
        (b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x0a\0archive/data.pkl", "PyTorch"),
        (b"PK\x03\x04 det_10g.onnx", "ZIP"),
        (b"\x80\x02\x8a\x0al\xfc", "PyTorch"),
        (b"ftrt\0\0", "TensorRT"),
        (b"ptrt\0\0", "TensorRT"),
        (b"\xff\xff\xff\xff hello", "not an ONNX model, or cut short"),
        (b"\x08\x07", "no graph"),
    ];
    for (bytes, expected) in cases {
        let message = refusal(bytes);
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    // graph { node { attribute { graph { node ... } } } }, written from the inside.
    let mut bytes = Vec::new();
    for tag in [50_u8, 42, 10].into_iter().cycle().take(3000).chain([7 << 3 | 2]) {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.append(&mut bytes);
        bytes = outer;
    }
    refusal(&bytes);
}

#[test]
fn damage_never_panics() {
    let mut state = 0x5eed_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let sample = dynamic_conv().encode();
    for _ in 0..3000 {
        let mut bytes = sample.clone();
        for _ in 0..random() % 8 {
            let at = random() % bytes.len();
            bytes[at] = random() as u8;
        }
        bytes.truncate(bytes.len() - if random() % 3 == 0 { random() % bytes.len() } else { 0 });
        if let Ok(mut model) = OnnxModel::parse(&bytes) {
            model.spell_out_defaults();
            model.starts_with_normalisation();
            assert!(model.inputs().len() + model.outputs().len() <= bytes.len());
            assert!(model.encode().len() <= bytes.len() + 1000, "something grew out of nothing");
        }
    }
}
