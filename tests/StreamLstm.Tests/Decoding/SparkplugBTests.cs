using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

/// <summary>Payloads recorded from npm's sparkplug-payload 1.0.3, which sparkplug-client sends.</summary>
public sealed class SparkplugBTests
{
    private const string NodeBirth =
        "08d0fffadcac33120b0a05626453657120085803121a0a144e6f646520436f6e74726f6c2f52656269727468200b700012360a12496e707574732f54656d7065726174757265100118d0fffadcac3320094a100a07656e67556e69741205080c420143650000ac4112180a05436f756e74100218d0fffadcac33200350f9ffffff0f12160a0752756e6e696e67100318d0fffadcac33200b700112130a084669726d776172651004200c7a03312e321800";

    private const string DeviceBirth = "08d0fffadcac33121e0a085072657373757265100a18d0fffadcac33200a69000000000000024012180a055374657073100b18d0fffadcac33200250fdffffff0f1801";
    private const string NodeData = "08b887fbdcac331210100118d486fbdcac332009650000b44112061002200350081802";
    private const string DeviceData = "08a08ffbdcac33120d100a200a690000000000000440120a100b200250fcffffff0f1803";
    private const string DeviceDataOfSequence5 = "088897fbdcac33120d100a200a6900000000000006401805";
    private const string NodeDeath = "08f09efbdcac33120b0a05626453657120085803";


    /// <summary>Level in %, 0 to 100; Drift in mm, -5 to 5, with bounds of two types; Plain.</summary>
    private const string BirthWithUnits =
        "08d0fffadcac3312580a054c6576656c100118d0fffadcac33200a4a3b0a07656e67556e69740a06656e674c6f770a07656e67486967681205080c420125120b080a310000000000000000120b080a31000000000000594069000000000000494012"
        + "4f0a054472696674100218d0fffadcac3320034a350a07656e67556e69740a06656e674c6f770a07656e67486967681206080c42026d6d1208080318fbffffff0f120708092d0000a04050ffffffff0f121b0a05506c61696e100318d0fffadcac33200a69000000000000f03f1800";

    /// <summary>Of the same: stale, good and bad.</summary>
    private const string DataOfQualities =
        "08b887fbdcac331226100118b887fbdcac33200a4a100a075175616c6974791205080318f40369000000000000f03f121f100218b887fbdcac3320034a100a075175616c6974791205080318c00150021225100318b887fbdcac33200a4a0f0a075175616c6974791204080318006900000000000008401801";

    private static readonly DateTimeOffset Birth = DateTimeOffset.FromUnixTimeMilliseconds(1764352770000);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Birth.AddHours(1))));
    private readonly SparkplugB _sparkplug = new();

    [Fact]
    public void Births_tell_names_and_values_and_data_comes_under_their_aliases()
    {
        Take("NBIRTH/edge", NodeBirth);
        Take("DBIRTH/edge/press", DeviceBirth);
        Take("NDATA/edge", NodeData);
        Take("DDATA/edge/press", DeviceData);
        Take("NDEATH/edge", NodeDeath);

        Assert.Equal(
            [
                ("plant/edge/Inputs/Temperature", 21.5), ("plant/edge/Count", -7), ("plant/edge/Running", 1), ("plant/edge/online", 1),
                ("plant/edge/press/Pressure", 2.25), ("plant/edge/press/Steps", -3), ("plant/edge/press/online", 1),
                ("plant/edge/Inputs/Temperature", 22.5), ("plant/edge/Count", 8), ("plant/edge/press/Pressure", 2.5), ("plant/edge/press/Steps", -4),
                ("plant/edge/online", 0),
            ],
            _decoded.Observations.Select(observation => (observation.Stream, observation.Value)));
        Assert.Equal(
            [Birth.AddMilliseconds(900), Birth.AddSeconds(1), Birth.AddSeconds(2), Birth.AddSeconds(2)],
            _decoded.Observations[7..11].Select(observation => observation.Time));
        Assert.Empty(_decoded.Errors);
        Assert.Empty(_sparkplug.TakeRebirths());
        Assert.Equal([(LeftOutReason.Text, 1), (LeftOutReason.Rule, 2)], _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)));
    }

    [Fact]
    public void Data_of_a_node_whose_birth_was_not_seen_is_left_out_and_the_birth_asked_for()
    {
        Take("NDATA/edge", NodeData);
        Assert.Empty(_decoded.Observations);
        Assert.Equal((LeftOutReason.UnknownAlias, 2), _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)).Single());
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());
    }

    [Fact]
    public void A_missing_message_is_seen_by_the_sequence()
    {
        Take("NBIRTH/edge", NodeBirth);
        Take("DBIRTH/edge/press", DeviceBirth);
        Take("NDATA/edge", NodeData);
        Take("DDATA/edge/press", DeviceData);
        Assert.Empty(_sparkplug.TakeRebirths());
        Take("DDATA/edge/press", DeviceDataOfSequence5);
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());
        Assert.Equal(2.75, _decoded.Observations[^1].Value);
    }

    [Fact]
    public void What_births_told_outlives_the_program()
    {
        Take("NBIRTH/edge", NodeBirth);
        Take("DBIRTH/edge/press", DeviceBirth);
        (string node, string told) = Assert.Single(_sparkplug.TakeNotes());
        Assert.Empty(_sparkplug.TakeNotes());

        var next = new SparkplugB();
        next.Restore(node, told);
        _decoded.Observations.Clear();
        next.Decode("spBv1.0/plant/DDATA/edge/press", "", Convert.FromHexString(DeviceData), _decoded);
        Assert.Equal([("plant/edge/press/Pressure", 2.5), ("plant/edge/press/Steps", -4)], _decoded.Observations.Select(o => (o.Stream, o.Value)));
        Assert.Empty(next.TakeRebirths());
    }

    [Fact]
    public void Units_and_ranges_of_a_birth_are_handed_out_by_stream_and_again_only_when_they_have_changed()
    {
        Take("NBIRTH/edge", BirthWithUnits);
        (string of, string told) = Assert.Single(_sparkplug.TakeUnits());
        Take("NBIRTH/edge", BirthWithUnits);
        Assert.Empty(_sparkplug.TakeUnits());
        Take("NBIRTH/edge", NodeBirth);
        (_, string other) = Assert.Single(_sparkplug.TakeUnits());

        Assert.Equal("plant/edge", of);
        Assert.Equal(
            new Dictionary<string, EngineeringUnit> { ["plant/edge/Level"] = new("%", 0, 100), ["plant/edge/Drift"] = new("mm", -5, 5) }, EngineeringUnit.Read(told));
        Assert.Equal(new Dictionary<string, EngineeringUnit> { ["plant/edge/Inputs/Temperature"] = new("C") }, EngineeringUnit.Read(other));
    }

    [Fact]
    public void A_value_of_bad_or_stale_quality_is_left_out()
    {
        Take("NBIRTH/edge", BirthWithUnits);
        _decoded.Observations.Clear();
        Take("NDATA/edge", DataOfQualities);

        Assert.Equal([("plant/edge/Drift", 2)], _decoded.Observations.Select(observation => (observation.Stream, observation.Value)));
        Assert.Equal([(LeftOutReason.BadQuality, 2)], _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)));
    }

    [Fact]
    public void The_request_for_a_birth_is_the_command_that_nodes_know()
    {
        (string topic, byte[] payload) = SparkplugB.RebirthRequest("plant/edge");
        Assert.Equal("spBv1.0/plant/NCMD/edge", topic);
        Assert.Equal("121A0A144E6F646520436F6E74726F6C2F52656269727468200B7001", Convert.ToHexString(payload));
    }

    [Theory]
    [InlineData("0a")]
    [InlineData("12ff")]
    [InlineData("0f")]
    [InlineData("ffffffffffffffffffffffff")]
    public void What_is_no_protobuf_is_rejected(string hex)
    {
        Take("NDATA/edge", hex);
        Assert.Equal(RejectionReason.Malformed, Assert.Single(_decoded.Errors).Reason);
        Assert.StartsWith("not Sparkplug B", _decoded.Errors[0].Detail, StringComparison.Ordinal);
    }

    private void Take(string topic, string hex)
    {
        string[] levels = topic.Split('/', 2);
        _sparkplug.Decode($"spBv1.0/plant/{levels[0]}/{levels[1]}", "", Convert.FromHexString(hex), _decoded);
    }
}
