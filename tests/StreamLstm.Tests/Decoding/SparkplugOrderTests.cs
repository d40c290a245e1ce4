using StreamLstm.Decoding;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Decoding;

/// <summary>Messages that do not come in the order of their numbers; time is what the test says.</summary>
public sealed class SparkplugOrderTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Decoded _decoded = new(new IngestStamp(TimeProvider.System));
    private readonly SparkplugB _sparkplug = new(reorderTimeout: Timeout);

    [Fact]
    public void Messages_that_were_swapped_on_the_way_are_taken_in_their_order_and_no_birth_is_asked_for()
    {
        Birth();
        Data(2, at: 0);
        Data(3, at: 0.1);
        Assert.Empty(Values());
        Assert.Equal(TimeSpan.FromSeconds(2), _sparkplug.NextDue);

        Data(1, at: 0.2);

        Assert.Equal([1, 2, 3], Values());
        Assert.Null(_sparkplug.NextDue);
        Assert.Empty(_sparkplug.TakeRebirths());
    }

    [Fact]
    public void For_one_that_does_not_come_the_others_wait_no_longer_than_the_timeout_and_then_a_birth_is_asked_for()
    {
        Birth();
        Data(2, at: 10);
        Data(4, at: 11);
        Expire(at: 11.9);
        Assert.Empty(Values());
        Assert.Empty(_sparkplug.TakeRebirths());

        Expire(at: 12);
        Assert.Equal([2, 4], Values());
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());

        // It counts on from there, and what comes too late is taken all the same.
        Data(5, at: 12.1);
        Data(1, at: 12.2);
        Data(6, at: 12.3);
        Assert.Equal([2, 4, 5, 1, 6], Values());
        Assert.Null(_sparkplug.NextDue);
    }

    [Fact]
    public void While_some_come_and_others_are_still_missing_the_timeout_begins_anew()
    {
        Birth();
        Data(2, at: 0);
        Data(4, at: 0.5);
        Data(1, at: 1.5);

        Assert.Equal([1, 2], Values());
        Assert.Equal(TimeSpan.FromSeconds(3.5), _sparkplug.NextDue);
    }

    [Fact]
    public void Numbers_go_round_behind_255()
    {
        Birth();

        for (int number = 1; number < 255; number++)
        {
            Data(number, at: 0);
        }

        Data(0, at: 0);
        Data(1, at: 0);
        Assert.Equal(254, Values().Length);
        Data(255, at: 0);

        Assert.Equal([254, 255, 0, 1], Values()[^4..]);
        Assert.Empty(_sparkplug.TakeRebirths());
    }

    [Fact]
    public void What_is_acknowledged_does_not_wait_in_memory()
    {
        Birth();
        Data(2, at: null);

        Assert.Equal([2], Values());
        Assert.Null(_sparkplug.NextDue);
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());
    }

    [Fact]
    public void What_waits_has_its_turn_before_a_new_birth()
    {
        Birth();
        Data(2, at: 0);
        Birth();
        Data(1, at: 0.1);

        Assert.Equal([2, 1], Values());
        Assert.Null(_sparkplug.NextDue);
        Assert.Empty(_sparkplug.TakeRebirths());
    }

    [Fact]
    public void A_number_far_ahead_is_of_another_life_and_a_birth_tells_where_it_counts_from()
    {
        Birth();
        Data(100, at: 0);
        Assert.Equal([100], Values());
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());
        Data(1, at: 0);
        Assert.Equal([100, 1], Values());
        Assert.Empty(_sparkplug.TakeRebirths());
    }

    [Fact]
    public void What_waits_is_bounded_in_bytes()
    {
        Birth();
        for (int number = 2; number < 5; number++)
        {
            // An unknown field of 3 MiB behind the message.
            byte[] message = [.. Message(number), 0x7A, .. Proto.Varint(3 << 20), .. new byte[3 << 20]];
            _sparkplug.Decode("spBv1.0/plant/NDATA/edge", "", message, _decoded, TimeSpan.Zero);
        }

        // Two fit; the third one is not waited with, so they have their turn.
        Assert.Equal([2, 3, 4], Values());
        Assert.Equal(["plant/edge"], _sparkplug.TakeRebirths());
    }

    private void Birth() => _sparkplug.Decode("spBv1.0/plant/NBIRTH/edge", "", [0x18, 0], _decoded, TimeSpan.Zero);

    /// <summary>Data whose value is its number.</summary>
    private void Data(int number, double? at) =>
        _sparkplug.Decode("spBv1.0/plant/NDATA/edge", "", Message(number), _decoded, at is { } seconds ? TimeSpan.FromSeconds(seconds) : null);

    private void Expire(double at) => _sparkplug.Expire(TimeSpan.FromSeconds(at), _decoded);

    /// <summary>metrics (2): name (1) "x", datatype (4) Double, double_value (13); seq (3).</summary>
    private static byte[] Message(int number)
    {
        byte[] metric = [0x0A, 1, (byte)'x', 0x20, 10, 0x69, .. BitConverter.GetBytes((double)number)];
        return [0x12, (byte)metric.Length, .. metric, 0x18, .. Proto.Varint((ulong)number)];
    }

    private double[] Values() => [.. _decoded.Observations.Where(observation => observation.Stream == "plant/edge/x").Select(observation => observation.Value)];
}
