using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Daemon.Messages;

/// <summary>What devices declare of their streams is in the journal's positions, and in what is told of an incident.</summary>
public sealed class StreamUnitsTests
{
    private readonly StreamUnits _units = new();

    [Theory]
    [InlineData("71.3: a step of 40, usually at most 3", "71.3 °C: a step of 40, usually at most 3")]
    [InlineData("120: a step of 95, usually at most 3; ended after 4 s", "120 °C, out of the declared 0 to 100 °C: a step of 95, usually at most 3; ended after 4 s")]
    [InlineData("-1,200.5: not what the network forecast", "-1,200.5 °C, out of the declared 0 to 100 °C: not what the network forecast")]
    [InlineData("1.5e20: a value this stream does not take", "1.5e20 °C, out of the declared 0 to 100 °C: a value this stream does not take")]
    [InlineData("silent for 5 min 0 s: usually 1.0 s", "silent for 5 min 0 s: usually 1.0 s")]
    public void The_sentence_of_a_value_names_its_unit_and_a_range_that_it_leaves(string sentence, string told)
    {
        Declare("plant/edge", "plant/edge/x", new EngineeringUnit("°C", 0, 100));

        IncidentEvent incident = _units.Tell(Incident("plant/edge/x", sentence));

        Assert.Equal(told, incident.Explanation);
        Assert.Equal(("°C", 0d, 100d), (incident.Unit, incident.DeclaredLow, incident.DeclaredHigh));
    }

    [Theory]
    [InlineData("%", null, 90d, "95%, out of the declared at most 90%: x")]
    [InlineData(null, 100d, null, "95, out of the declared at least 100: x")]
    [InlineData("bar", null, null, "95 bar: x")]
    public void A_range_may_have_one_end_and_a_unit_no_range(string? unit, double? low, double? high, string told)
    {
        Declare("plant/edge", "plant/edge/x", new EngineeringUnit(unit, low, high));

        Assert.Equal(told, _units.Tell(Incident("plant/edge/x", "95: x")).Explanation);
    }

    [Fact]
    public void Of_a_stream_of_which_nothing_is_declared_nothing_is_said()
    {
        IncidentEvent incident = Incident("plant/edge/x", "95: x");

        Assert.Same(incident, _units.Tell(incident));
    }

    [Fact]
    public void Each_birth_declares_all_of_its_device_anew_and_other_positions_say_nothing()
    {
        Declare("plant/edge", "plant/edge/x", new EngineeringUnit("°C"));
        Declare("plant/edge/press", "plant/edge/press/y", new EngineeringUnit("bar"));
        Declare("plant/edge", "plant/edge/z", new EngineeringUnit("V"));
        _units.Take(new SourcePosition("mqtt:births:plant/edge", "{}"));
        _units.Take(null);
        _units.Take(StreamUnits.PositionOf("mqtt", "plant/other", "no text of ours"));

        Assert.Equal([null, "bar", "V"], new[] { "plant/edge/x", "plant/edge/press/y", "plant/edge/z" }.Select(stream => _units.Of(stream)?.Unit));
        _units.Take(StreamUnits.PositionOf("mqtt", "plant/edge", ""));
        Assert.Null(_units.Of("plant/edge/z"));
    }

    [Fact]
    public void They_are_found_among_positions_that_belong_together()
    {
        var units = new Dictionary<string, EngineeringUnit> { ["s"] = new("°C", 0, null) };
        _units.Take(SourcePosition.Together([new SourcePosition("mqtt", "+24:abc"), StreamUnits.PositionOf("mqtt", "n", EngineeringUnit.Write(units))]));

        Assert.Equal(new EngineeringUnit("°C", 0, null), _units.Of("s"));
    }

    [Fact]
    public void What_makes_no_sense_is_not_declared()
    {
        Assert.Null(new EngineeringUnit(" ", 100, 0).Checked());
        Assert.Null(new EngineeringUnit(new string('x', 33)).Checked());
        Assert.Equal(new EngineeringUnit("m³/h", null, 5), new EngineeringUnit(" m³/h ", null, 5).Checked());
    }

    private void Declare(string of, string stream, EngineeringUnit unit) =>
        _units.Take(StreamUnits.PositionOf("mqtt", of, EngineeringUnit.Write(new Dictionary<string, EngineeringUnit> { [stream] = unit })));

    private static IncidentEvent Incident(string stream, string explanation) => new()
    {
        Id = "1",
        IncidentId = "1",
        Revision = 0,
        Stream = stream,
        State = IncidentState.Opened,
        Kind = IncidentKind.Point,
        Severity = IncidentSeverity.Info,
        Onset = DateTimeOffset.UnixEpoch,
        Time = DateTimeOffset.UnixEpoch,
        Score = 60,
        MaxScore = 60,
        Attribution = new Dictionary<string, double>(),
        Explanation = explanation,
        ModelVersion = 1,
    };
}
